// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/lane_policy.hpp: how many TCP connections a link needs. Pure:
// told each second how it went, it says how many there should be.
//
// One connection is enough until it loses packets while it always has something
// to send. Then TCP's congestion control may be the bottleneck, or a limit for
// each connection on the way, and not the link. Only a try tells: the number is
// doubled for as long as the rate grows.
//
// Threads: one owner.

#ifndef LIBTELEPORT_NET_LANE_POLICY_HPP
#define LIBTELEPORT_NET_LANE_POLICY_HPP

#include <chrono>
#include <cstdint>

#include "libteleport/net/link_options.hpp"

namespace teleport {

class lane_policy {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// What the second since the last look was like.
  struct look {
    std::uint64_t acknowledged = 0;  ///< bytes so far, over all lanes
    /// There was always something to send, and neither a limit of ours nor the
    /// peer's window held it back.
    bool busy = false;
    bool lossy = false;  ///< packets were lost, more than its control minds
  };

  /// @return how many lanes there should be; never fewer than before
  [[nodiscard]] unsigned on_look(const look& now, time_point at);

 private:
  /// Time over which a rate is measured: many round trips of 200 ms.
  static constexpr std::chrono::seconds measured{4};
  /// Time for a new connection to find its speed.
  static constexpr std::chrono::seconds settled{3};
  /// Doubling that raises the rate by less than this factor is the last.
  static constexpr double worth = 1.25;

  void measure_from(const look& now, time_point at);

  unsigned lanes_ = 1;
  bool searching_ = true;
  bool started_ = false;
  time_point since_;
  std::uint64_t acknowledged_ = 0;  ///< at since_
  unsigned looks_ = 0;              ///< since then
  unsigned lossy_ = 0;
  double rate_before_ = 0;  ///< bytes a second, with half as many
  time_point settled_at_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LANE_POLICY_HPP
