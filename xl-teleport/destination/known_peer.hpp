// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/known_peer.hpp: the paired host that brings a guest,
// and what it may do here.
//
// Threads: plain values; peer_of() from any thread. Blocks: peer_of() on small
//          files.

#ifndef XL_TELEPORT_DESTINATION_KNOWN_PEER_HPP
#define XL_TELEPORT_DESTINATION_KNOWN_PEER_HPP

#include <string>

#include "libteleport/net/connection.hpp"
#include "libteleport/net/identity.hpp"
#include "xl-teleport/setup/peer_rights.hpp"

namespace teleport {

struct known_peer {
  std::string name;  ///< under which it is paired
  std::string key;   ///< that it was first paired with: SHA-256, hexadecimal
  peer_rights rights = {};
};

/// The host at the other end of a link, with the rights that it has now.
[[nodiscard]] known_peer peer_of(const connection& link, const key_files& keys);

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_KNOWN_PEER_HPP
