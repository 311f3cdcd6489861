// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/known_peer.hpp"

#include "xl-teleport/setup/peer_rights_files.hpp"

namespace teleport {

known_peer peer_of(const connection& link, const key_files& keys) {
  return {link.peer_name(),
          link.peer_key(),
          rights_of_peer(keys.peers, link.peer_key())};
}

}  // namespace teleport
