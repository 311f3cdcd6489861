// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/effort_watch.hpp: from what the kernel counts of each lane,
// how the last second went: what lane_policy decides by. Pure.
//
// Threads: one owner.

#ifndef LIBTELEPORT_NET_EFFORT_WATCH_HPP
#define LIBTELEPORT_NET_EFFORT_WATCH_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/net/lane_policy.hpp"
#include "libteleport/net/link_counters.hpp"

namespace teleport {

/// A link at one moment.
struct link_sight {
  std::uint64_t acknowledged = 0;  ///< bytes so far, over all lanes
  /// Of each lane since it began, by its number; nullopt: it has ended.
  std::vector<std::optional<link_effort>> lanes;
  std::string congestion_control;
};

class effort_watch {
 public:
  /// If the peer's window was shut for this much of the last second, the peer
  /// and not the link is the bottleneck. Microseconds.
  static constexpr std::uint64_t peer_full_us = 200'000;
  /// bbr does not slow down for packets lost by chance. A limit on the way that
  /// drops what exceeds it loses far more: one segment of this many.
  static constexpr std::uint64_t much_lost_in = 50;

  /// @param paced  a rate of ours held the link back since the last look
  [[nodiscard]] lane_policy::look on_look(const link_sight& now, bool paced);

 private:
  std::vector<link_effort> before_;  ///< at the last look, by lane
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_EFFORT_WATCH_HPP
