// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/silence.hpp"

#include <algorithm>

namespace teleport {

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
  const auto limit =
      answers.owed && answers.has_room ? answer_limit : closed_limit;
  return silent < limit
             ? std::nullopt
             : std::optional(
                   std::chrono::duration_cast<std::chrono::seconds>(silent));
}

}  // namespace teleport
