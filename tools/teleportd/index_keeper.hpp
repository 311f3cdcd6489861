// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/index_keeper.hpp: `teleportd --keeper`, which keeps the
// content index fresh: finds the disks (donor_set), follows what guests write
// on them (index/disk_keeper.hpp) and scans what is new, each scan in a process
// of its own.
//
// What it knows is in the index and in the kernel's marks: it may be killed at
// any time, and goes on from there.
//
// Threads: the main thread of its process. Blocks: until SIGTERM.

#ifndef TOOLS_TELEPORTD_INDEX_KEEPER_HPP
#define TOOLS_TELEPORTD_INDEX_KEEPER_HPP

#include <string>

#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// @param settings_file  given on to the scans
/// @return exit status
int run_index_keeper(const settings& options, const std::string& settings_file);

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_INDEX_KEEPER_HPP
