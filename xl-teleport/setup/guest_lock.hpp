// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/guest_lock.hpp: one teleport, seed or recovery of a guest
// at a time on this host.
//
// Threads: any. Blocks: no.

#ifndef XL_TELEPORT_SETUP_GUEST_LOCK_HPP
#define XL_TELEPORT_SETUP_GUEST_LOCK_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/xen/domain.hpp"

namespace teleport {

/// Locks a guest until the descriptor is closed.
///
/// @param run_path  the folder of the locks
/// @error errc::busy when a teleport or a seed of this guest is under way
[[nodiscard]] result<unique_fd> lock_guest(const std::string& run_path,
                                           const std::string& uuid);

/// Locks all that may be kept for a guest: by its uuid and, since disks may be
/// seeded for a name alone, by its name.
///
/// @error as lock_guest()
[[nodiscard]] result<std::vector<unique_fd>> lock_guest_and_name(
    const std::string& run_path, const guest_info& guest);

/// @return true also when it cannot be told
[[nodiscard]] bool is_guest_locked(const std::string& run_path,
                                   const std::string& uuid);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_GUEST_LOCK_HPP
