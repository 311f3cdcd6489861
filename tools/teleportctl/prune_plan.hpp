// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/prune_plan.hpp: which kept disks are to go: the decision
// alone.
//
// Threads: a pure function.

#ifndef TOOLS_TELEPORTCTL_PRUNE_PLAN_HPP
#define TOOLS_TELEPORTCTL_PRUNE_PLAN_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace teleport {

struct prune_limits {
  std::optional<std::chrono::seconds> age;  ///< the longest that one is kept
  std::optional<std::uint64_t> bytes;       ///< the most that all may hold
};

/// A kept disk, for this.
struct prunable {
  std::chrono::seconds age{0};
  std::uint64_t bytes = 0;  ///< that it holds
  bool may_go = false;      ///< nobody needs it
};

/// The disks that are older than the limit; then, while all that stay hold more
/// than they may, the oldest. One that somebody needs counts, and stays.
///
/// @return their places in `disks`, oldest first
[[nodiscard]] std::vector<std::size_t> to_be_pruned(
    const std::vector<prunable>& disks, const prune_limits& limits);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_PRUNE_PLAN_HPP
