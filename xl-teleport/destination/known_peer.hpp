// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/known_peer.hpp: the paired host that brings a guest,
// and what it may do here.
//
// Threads: a plain value.

#ifndef XL_TELEPORT_DESTINATION_KNOWN_PEER_HPP
#define XL_TELEPORT_DESTINATION_KNOWN_PEER_HPP

#include <string>

#include "xl-teleport/setup/peer_rights.hpp"

namespace teleport {

struct known_peer {
  std::string name;  ///< under which it is paired
  std::string key;   ///< that it was first paired with: SHA-256, hexadecimal
  peer_rights rights = {};  ///< as they were when its session began
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_KNOWN_PEER_HPP
