// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/guest_lock.hpp: one teleport, seed or recovery of a guest
// at a time on this host.
//
// Whoever clears up what dead sessions left (destination/leftovers.hpp) locks a
// guest for some milliseconds: others wait for that.
//
// Threads: any. Blocks: for at most 5 s, with if_locked::wait.

#ifndef XL_TELEPORT_SETUP_GUEST_LOCK_HPP
#define XL_TELEPORT_SETUP_GUEST_LOCK_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/xen/toolstack.hpp"

namespace teleport {

/// What to do where a guest's lock is held by whoever clears up.
enum class if_locked { wait, give_up };

/// Locks a guest until the descriptor is closed.
///
/// @param run_path  the folder of the locks
/// @error errc::busy when a teleport or a seed of this guest is under way
[[nodiscard]] result<unique_fd> lock_guest(const std::string& run_path,
                                           const std::string& uuid,
                                           if_locked then = if_locked::wait);

/// Locks all that may be kept for a guest: by its uuid and, since disks may be
/// seeded for a name alone, by its name.
///
/// @error as lock_guest()
[[nodiscard]] result<std::vector<unique_fd>> lock_guest_and_name(
    const std::string& run_path,
    const guest_info& guest,
    if_locked then = if_locked::wait);

/// Of the one process at a time that clears up what dead sessions left. Waits
/// some seconds: what the other one clears away may be in the caller's way.
///
/// @error errc::busy
[[nodiscard]] result<unique_fd> lock_leftovers(const std::string& run_path);

/// @return true also when it cannot be told
[[nodiscard]] bool is_guest_locked(const std::string& run_path,
                                   const std::string& uuid);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_GUEST_LOCK_HPP
