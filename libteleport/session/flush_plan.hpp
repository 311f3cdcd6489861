// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/flush_plan.hpp: when a destination flushes its targets
// while blocks still come, so that little is left for the flush that a
// suspended guest waits for.
//
// Threads: a plain value. Time and bytes are given, nothing is measured here.

#ifndef LIBTELEPORT_SESSION_FLUSH_PLAN_HPP
#define LIBTELEPORT_SESSION_FLUSH_PLAN_HPP

#include <chrono>
#include <cstdint>
#include <optional>

#include "libteleport/base/units.hpp"

namespace teleport {

class flush_plan {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Written and not flushed, in the bulk: what a disk of 100 MB/s needs a good
  /// second for.
  static constexpr std::uint64_t much = 128_MiB;
  /// Between two flushes beside the memory, and times of the last one: a disk
  /// that is slow to flush has blocks to write as well.
  static constexpr std::chrono::seconds shortest_pause{1};
  static constexpr int pause_factor = 2;

  /// When the next flush is to begin.
  ///
  /// @param written  bytes given to the targets, from the beginning
  /// @param live     the bulk is over: the guest may be suspended at any time
  /// @return none while a flush is under way, or too little was written
  [[nodiscard]] std::optional<time_point> due(std::uint64_t written,
                                              bool live) const;
  void on_begun(std::uint64_t written, time_point now);
  void on_flushed(time_point now);

 private:
  std::uint64_t flushed_ = 0;
  bool under_way_ = false;
  time_point begun_;
  time_point next_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_FLUSH_PLAN_HPP
