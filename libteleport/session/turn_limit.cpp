// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/turn_limit.hpp"

#include <algorithm>

namespace teleport {

namespace {

/// Above this a turn's length is not counted in nanoseconds any more.
constexpr std::uint64_t longest_seconds = 1'000'000'000;

std::chrono::seconds time_for(std::uint64_t memory_kib) {
  const std::uint64_t whole = memory_kib / turn_limit::slowest_rate * 1_KiB;
  const std::uint64_t rest =
      memory_kib % turn_limit::slowest_rate * 1_KiB / turn_limit::slowest_rate;
  return std::chrono::seconds(std::min(whole + rest, longest_seconds));
}

}  // namespace

turn_limit::turn_limit(std::uint64_t memory_kib, time_point now)
    : ends_(now + spare_time + time_for(memory_kib)), mark_(now) {}

void turn_limit::look(const sight& seen, time_point now) {
  if (!bytes_ || !seen.waits_for_source ||
      seen.received - *bytes_ >= pace_bytes) {
    mark_ = now;
    bytes_ = seen.received;
  }
  verdict_ = seen.stream_complete       ? verdict::keeps
             : now - mark_ >= pace_time ? verdict::too_slow
             : now >= ends_             ? verdict::too_long
                                        : verdict::keeps;
}

}  // namespace teleport
