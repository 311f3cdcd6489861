// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/packet_door.hpp: a named Unix socket at which a process
// without rights finds the one that has them.
//
// Threads: any. Blocks: await_at_door().

#ifndef LIBTELEPORT_BASE_PACKET_DOOR_HPP
#define LIBTELEPORT_BASE_PACKET_DOOR_HPP

#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

/// Makes the socket, in place of one that is there.
[[nodiscard]] result<unique_fd> open_door(const std::string& path);

/// Waits for a process of root's or of this user's.
///
/// @param door  of open_door()
/// @error errc::refused: another user's has come
[[nodiscard]] result<unique_fd> await_at_door(int door,
                                              const std::string& user);

[[nodiscard]] result<unique_fd> connect_to_door(const std::string& path);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_PACKET_DOOR_HPP
