// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/keeper_scan.hpp: a scan in a process of its own, and what it
// shares with the keeper that started it: signals, priority, the index.
//
// Threads: the main thread of its process. Blocks: as long as the disk takes.

#ifndef TOOLS_TELEPORTD_KEEPER_SCAN_HPP
#define TOOLS_TELEPORTD_KEEPER_SCAN_HPP

#include <atomic>
#include <memory>
#include <string>

#include "index/scanner.hpp"
#include "index/store.hpp"
#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// A scan that was ended before it had read all.
inline constexpr int exit_cancelled = 3;

/// From now on SIGTERM and SIGINT ask to stop.
void catch_keeper_signals();
[[nodiscard]] const std::atomic<bool>& keeper_stop_asked();
/// Readable once it was asked to, also before a wait begins.
[[nodiscard]] int keeper_stop_event();
/// Guests first: the process has idle priority for processors and disks.
void give_way();
[[nodiscard]] result<std::unique_ptr<index::store>> open_kept_index(
    const settings& options);

/// `teleportd --scan PATH [--device DEVICE --tracker LIFE]`.
///
/// @param ticket  unset: nobody follows the disk
/// @return exit status
int run_keeper_scan(const settings& options,
                    const std::string& path,
                    const index::scan_ticket& ticket);

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_KEEPER_SCAN_HPP
