// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/packet.hpp: what processes of one host tell each other: some
// bytes, and descriptors beside them, in one packet of a Unix socket
// (SOCK_SEQPACKET).
//
// Threads: any. Blocks: as the socket does.
// Trust:   a packet that is longer than its reader expects, or brings more
//          descriptors, is an error, and its descriptors are closed.

#ifndef LIBTELEPORT_BASE_PACKET_HPP
#define LIBTELEPORT_BASE_PACKET_HPP

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

inline constexpr std::size_t max_packet_descriptors = 4;

struct packet {
  std::string bytes;  ///< never empty
  std::vector<unique_fd> descriptors;
};

struct socket_ends {
  unique_fd one;
  unique_fd other;
};

/// Two connected Unix sockets, close-on-exec.
///
/// @param type  SOCK_SEQPACKET for packets, SOCK_STREAM for bytes
[[nodiscard]] result<socket_ends> connected_sockets(int type);

/// @pre !bytes.empty(), and no more than max_packet_descriptors
result<void> send_packet(int socket,
                         std::string_view bytes,
                         const std::vector<int>& descriptors = {});

/// @param longest  of its bytes
/// @param flags    of recvmsg(): 0, or MSG_DONTWAIT
/// @error errc::peer_lost: the other end is closed; errc::timeout: nothing came
///        in the socket's time (limit_waiting), or none is there;
///        errc::protocol: it is too long, or has too many descriptors
[[nodiscard]] result<packet> receive_packet(int socket,
                                            std::size_t longest,
                                            int flags = 0);

/// From now on neither side of a call on this socket waits longer.
void limit_waiting(int socket, std::chrono::seconds most);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_PACKET_HPP
