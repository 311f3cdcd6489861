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

/// How hard TCP finds it, since the beginning.
struct link_effort {
  std::uint64_t segments = 0;  ///< sent, what was sent again included
  std::uint64_t resent = 0;
  std::uint64_t peer_full_us = 0;  ///< microseconds of waiting for its window
  bool idle = false;               ///< lately it had nothing more to send
};

/// @param socket  a connected TCP socket; anything else gives zeros
[[nodiscard]] link_counters count_link(int socket) noexcept;
[[nodiscard]] link_effort effort_of(int socket) noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LINK_COUNTERS_HPP
