// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/whole_scan.hpp: when a disk is read whole that no tracker
// follows: a file without a guest, a disk beyond index.max_followed, every disk
// of a host whose kernel has no trackers.
//
// Threads: any; a function without state.

#ifndef TOOLS_TELEPORTD_WHOLE_SCAN_HPP
#define TOOLS_TELEPORTD_WHOLE_SCAN_HPP

#include <chrono>

#include "index/format.hpp"
#include "index/identity.hpp"

namespace teleport {

/// After which a disk is read again though nobody knows whether it was changed,
/// or though it never is quiet. The index is behind by so much at most.
inline constexpr std::chrono::hours whole_scan_interval{7 * 24};

/// What is known of the disk's use.
struct disk_use {
  std::chrono::nanoseconds today{};  ///< since 1970
  std::chrono::seconds quiet{};      ///< index.quiet_seconds
  bool by_guest = false;  ///< a guest has it: it is no copy under way
};

/// @param record  the index's; nullptr where it has none
[[nodiscard]] bool needs_whole_scan(const index::disk_record* record,
                                    const index::disk_identity& now,
                                    const disk_use& use);

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_WHOLE_SCAN_HPP
