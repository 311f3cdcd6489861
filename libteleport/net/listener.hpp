// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/listener.hpp: the socket that listens, and what comes to it.
//
// Threads: any. Blocks: nothing.

#ifndef LIBTELEPORT_NET_LISTENER_HPP
#define LIBTELEPORT_NET_LISTENER_HPP

#include <cstdint>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

/// A socket that listens and does not block. What is accepted from it has its
/// options, also those for which root's rights are needed.
///
/// @param address             an IPv4 or IPv6 address; "::" is both kinds, and
///                            IPv4 alone on a kernel without IPv6
/// @param congestion_control  as link_options has it
/// @error errc::busy when the port is taken; errc::bad_input; errc::system
[[nodiscard]] result<unique_fd> listen_at(
    const std::string& address,
    std::uint16_t port,
    const std::string& congestion_control);

struct accepted_socket {
  unique_fd socket;
  std::string address;  ///< whose it is, as text
};

/// The next connection that is there.
///
/// @error errc::timeout: none is there; errc::system: no descriptors are left,
///        say
[[nodiscard]] result<accepted_socket> accept_next(int listening);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LISTENER_HPP
