// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/address_race.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace teleport {

namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

}  // namespace

std::vector<tcp::endpoint> in_turn(
    const std::vector<tcp::endpoint>& addresses) {
  std::vector<tcp::endpoint> sorted = addresses;
  const auto others = std::stable_partition(
      sorted.begin(), sorted.end(), [&addresses](const tcp::endpoint& address) {
        return address.protocol() == addresses.front().protocol();
      });
  std::vector<tcp::endpoint> mixed;
  auto first = sorted.begin();
  auto second = others;
  while (first != others || second != sorted.end()) {
    if (first != others) {
      mixed.push_back(*first++);
    }
    if (second != sorted.end()) {
      mixed.push_back(*second++);
    }
  }
  return mixed;
}

void address_race::begin(const std::vector<tcp::endpoint>& addresses,
                         done_handler done) {
  done_ = std::move(done);
  for (const tcp::endpoint& address : in_turn(addresses)) {
    attempts_.push_back({address, tcp::socket(loop_.context()), {}, false});
  }
  try_next();
}

void address_race::try_next() {
  next_timer_ = {};
  if (begun_ == attempts_.size()) {
    return;
  }
  const std::size_t which = begun_++;
  attempts_[which].socket.async_connect(
      attempts_[which].address,
      [self = shared_from_this(), which](const error_code& failure) {
        self->on_attempt(which, failure);
      });
  if (begun_ < attempts_.size()) {
    next_timer_ = loop_.after(delay_, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) {
        self->try_next();
      }
    });
  }
}

void address_race::on_attempt(std::size_t which, const error_code& failure) {
  if (!done_) {
    return;
  }
  attempt& tried = attempts_[which];
  tried.has_ended = true;
  tried.failure = failure;
  if (!failure) {
    end(std::move(tried.socket));
    return;
  }
  if (std::ranges::all_of(attempts_, &attempt::has_ended)) {
    end(all_failures());
    return;
  }
  // One that failed is waited for no longer.
  if (which + 1 == begun_) {
    try_next();
  }
}

void address_race::give_up() {
  if (!done_) {
    return;
  }
  for (attempt& tried : attempts_) {
    if (!tried.has_ended) {
      tried.failure = boost::asio::error::timed_out;
    }
  }
  loop_.post([self = shared_from_this()] {
    if (self->done_) {
      self->end(self->all_failures());
    }
  });
}

void address_race::end(result<tcp::socket> outcome) {
  next_timer_ = {};
  for (attempt& tried : attempts_) {
    error_code ignored;
    tried.socket.close(ignored);
  }
  const done_handler done = std::exchange(done_, nullptr);
  done(std::move(outcome));
}

error address_race::all_failures() const {
  std::string text;
  for (const attempt& tried : attempts_) {
    text += fmt::format("{}{}: {}",
                        text.empty() ? "" : ", ",
                        tried.address.address().to_string(),
                        tried.failure == boost::asio::error::timed_out
                            ? "no answer in time"
                            : tried.failure.message());
  }
  return {errc::peer_lost, text};
}

}  // namespace teleport
