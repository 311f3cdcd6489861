// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/silence_watch.hpp"

#include <algorithm>

namespace teleport {

std::chrono::milliseconds silence_watch::limit_for(
    const peer_answers& answers) {
  if (answers.retransmission.count() <= 0) {
    return answer_limit;
  }
  std::chrono::milliseconds asked{0};
  std::chrono::milliseconds wait = answers.retransmission;
  while (asked < answer_limit) {
    asked += wait;
    wait *= 2;
  }
  return std::min<std::chrono::milliseconds>(
      asked + answers.round_trip + answer_slack, closed_limit);
}

std::optional<std::chrono::seconds> silence_watch::look(
    const peer_answers& answers, time_point now) {
  const bool stood_still = now - last_look_ > own_pause;
  last_look_ = now;
  if (!answers.owed && !answers.held) {
    since_.reset();
    return std::nullopt;
  }
  if (!since_ || stood_still) {
    since_ = now;
  }
  const auto silent = std::min<std::chrono::steady_clock::duration>(
      answers.since_last, now - *since_);
  const auto limit = answers.owed && answers.has_room
                         ? limit_for(answers)
                         : std::chrono::milliseconds(closed_limit);
  return silent < limit
             ? std::nullopt
             : std::optional(
                   std::chrono::duration_cast<std::chrono::seconds>(silent));
}

}  // namespace teleport
