// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/socket_info.hpp: what the kernel knows of a TCP connection
// (TCP_INFO), in our terms.
//
// Threads: any. Blocks: no.

#ifndef LIBTELEPORT_NET_SOCKET_INFO_HPP
#define LIBTELEPORT_NET_SOCKET_INFO_HPP

#include "libteleport/net/link_counters.hpp"
#include "libteleport/net/silence_watch.hpp"

namespace teleport {

/// @param socket  a connected TCP socket; anything else gives zeros
[[nodiscard]] link_counters counters_of(int socket) noexcept;
[[nodiscard]] link_effort effort_of(int socket) noexcept;
/// @param socket  a connected TCP socket; anything else owes nothing
[[nodiscard]] peer_answers answers_of(int socket) noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_NET_SOCKET_INFO_HPP
