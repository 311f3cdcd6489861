// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/schedule.hpp"

#include <algorithm>
#include <array>
#include <cassert>

namespace teleport::evacuation {

std::string_view name_of(fate fate) noexcept {
  constexpr std::array<std::string_view, 8> names = {"waiting",
                                                     "running",
                                                     "moved",
                                                     "not_cleared",
                                                     "failed",
                                                     "uncertain",
                                                     "gone",
                                                     "not_started"};
  return names.at(static_cast<std::size_t>(fate));
}

schedule::schedule(std::size_t moves,
                   std::size_t parallel,
                   std::chrono::seconds retry_pause)
    : moves_(moves), parallel_(parallel), retry_pause_(retry_pause) {
  assert(parallel_ > 0);
  for (std::size_t i = 0; i < moves; ++i) {
    queue_.push_back(i);
  }
}

std::vector<std::size_t> schedule::due(clock::time_point now) {
  std::vector<std::size_t> begin;
  while (!closed_ && running_ < parallel_) {
    // The queue has all first tries before the second ones, and these by the
    // time of their failures: its head is the first that may begin.
    if (queue_.empty() || moves_[queue_.front()].earliest > now) {
      break;
    }
    const std::size_t move = queue_.front();
    queue_.pop_front();
    moves_[move].at = fate::running;
    ++moves_[move].tries;
    ++running_;
    begin.push_back(move);
  }
  return begin;
}

std::optional<schedule::clock::time_point> schedule::next_due() const {
  if (closed_ || queue_.empty() || running_ >= parallel_) {
    return std::nullopt;
  }
  return moves_[queue_.front()].earliest;
}

void schedule::on_end(std::size_t move, outcome what, clock::time_point now) {
  one_move& ended = moves_.at(move);
  assert(ended.at == fate::running);
  --running_;
  switch (what) {
    case outcome::moved:
      ended.at = fate::moved;
      return;
    case outcome::not_cleared:
      ended.at = fate::not_cleared;
      return;
    case outcome::uncertain:
      ended.at = fate::uncertain;
      return;
    case outcome::gone:
      ended.at = fate::gone;
      return;
    case outcome::failed:
      break;
  }
  if (closed_ || ended.tries >= max_tries) {
    ended.at = fate::failed;
    return;
  }
  ended.at = fate::waiting;
  ended.earliest = now + retry_pause_;
  queue_.push_back(move);
}

void schedule::close() {
  closed_ = true;
  for (const std::size_t move : queue_) {
    moves_[move].at =
        moves_[move].tries == 0 ? fate::not_started : fate::failed;
  }
  queue_.clear();
}

std::vector<std::size_t> schedule::running() const {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < moves_.size(); ++i) {
    if (moves_[i].at == fate::running) {
      found.push_back(i);
    }
  }
  return found;
}

std::size_t schedule::ended() const {
  return moves_.size() - running_ - queue_.size();
}

bool schedule::is_over() const {
  return running_ == 0 && queue_.empty();
}

}  // namespace teleport::evacuation
