// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/pass_progress.hpp: how far a pass over the disks is, as
// teleports and seeds tell it.
//
// Threads: a pure function.

#ifndef XL_TELEPORT_SOURCE_PASS_PROGRESS_HPP
#define XL_TELEPORT_SOURCE_PASS_PROGRESS_HPP

#include <cstdint>
#include <vector>

#include "libteleport/migrate/disk_sender.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "xl-teleport/source/report.hpp"

namespace teleport {

/// Fills in what a pass adds to `now`, whose phase is set.
///
/// @param pass    of the disks, in their order
/// @param disks   that are moved
/// @param wanted  bytes of blocks that the destination asked for
void add_pass(progress& now,
              const std::vector<pass_count>& pass,
              const std::vector<guest_disk>& disks,
              std::uint64_t wanted);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_PASS_PROGRESS_HPP
