// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/lock_names.hpp: what the names of locks in run_path begin
// with, for those that are made for one guest or one session. The file of such
// a lock that nobody holds may be removed (finished_teleports.hpp).

#ifndef XL_TELEPORT_SETUP_LOCK_NAMES_HPP
#define XL_TELEPORT_SETUP_LOCK_NAMES_HPP

#include <string_view>

namespace teleport {

/// A guest's uuid follows, or its name.
inline constexpr std::string_view guest_lock_prefix = "guest-";
/// When a session has joined a queue, and its process follow.
inline constexpr std::string_view queue_lock_prefix = "memory-queue-";

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_LOCK_NAMES_HPP
