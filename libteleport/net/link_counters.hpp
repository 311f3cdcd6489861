// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/link_counters.hpp: what a TCP connection has carried, as the
// kernel counts it.

#ifndef LIBTELEPORT_NET_LINK_COUNTERS_HPP
#define LIBTELEPORT_NET_LINK_COUNTERS_HPP

#include <cstdint>

namespace teleport {

/// Bytes of TCP payload, TLS included, without headers and what was resent.
struct link_counters {
  std::uint64_t sent = 0;  ///< acknowledged by the peer
  std::uint64_t received = 0;
};

/// @param socket  a connected TCP socket; anything else gives zeros
[[nodiscard]] link_counters count_link(int socket) noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LINK_COUNTERS_HPP
