// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/prune_plan.hpp"

#include <algorithm>
#include <numeric>

namespace teleport {

std::vector<std::size_t> to_be_pruned(const std::vector<prunable>& disks,
                                      const prune_limits& limits) {
  std::vector<std::size_t> oldest_first(disks.size());
  std::iota(oldest_first.begin(), oldest_first.end(), std::size_t{0});
  std::ranges::stable_sort(oldest_first, [&](std::size_t a, std::size_t b) {
    return disks[a].age > disks[b].age;
  });
  std::uint64_t left = 0;
  for (const prunable& disk : disks) {
    left += disk.bytes;
  }
  std::vector<std::size_t> chosen;
  for (const std::size_t i : oldest_first) {
    const prunable& disk = disks[i];
    const bool too_old = limits.age && disk.age > *limits.age;
    const bool too_much = limits.bytes && left > *limits.bytes;
    if (disk.may_go && (too_old || too_much)) {
      chosen.push_back(i);
      left -= disk.bytes;
    }
  }
  return chosen;
}

}  // namespace teleport
