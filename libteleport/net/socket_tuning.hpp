// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/socket_tuning.hpp: TCP's options of each connection:
// keep-alive, congestion control, and sizes of buffers.

#ifndef LIBTELEPORT_NET_SOCKET_TUNING_HPP
#define LIBTELEPORT_NET_SOCKET_TUNING_HPP

#include <string>

namespace teleport {

/// Sets no delay, keep-alives, the congestion control and FD_CLOEXEC. A kernel
/// without one of these stays with its own way.
/// @param socket              a connected TCP socket
/// @param congestion_control  empty: bbr
void tune_socket(int socket, const std::string& congestion_control);

/// For the side that most bytes flow to: room for what a long link holds. The
/// sockets that it accepts inherit it; later it would be too late, as the scale
/// of the window is agreed upon with the first packets.
/// @param socket  a TCP socket that does not listen yet
void tune_listener(int socket);

/// For a further lane of a link: it needs no room for the whole of it.
/// @param socket  an accepted TCP socket
void tune_further_lane(int socket);

/// @return the name of TCP's congestion control there; empty when it has none
[[nodiscard]] std::string congestion_control_of(int socket);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_SOCKET_TUNING_HPP
