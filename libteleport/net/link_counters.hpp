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

  link_counters& operator+=(const link_counters& more) noexcept {
    sent += more.sent;
    received += more.received;
    return *this;
  }
};

/// Packets sent and lost since the beginning.
struct link_effort {
  std::uint64_t segments = 0;  ///< sent, what was sent again included
  std::uint64_t resent = 0;
  std::uint64_t peer_full_us = 0;  ///< microseconds of waiting for its window
  bool idle = false;               ///< lately it had nothing more to send
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LINK_COUNTERS_HPP
