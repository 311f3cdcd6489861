// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/peer_pairing.hpp: writes other hosts' keys into the peers'
// folder: those of a host that is paired, and the new ones of a host that is
// here already. A host that renews its key stays the host that it was.
//
// Trust:  add_peer() believes what a host says of its own key alone: the key
//         of a host that is paired gives its identity to no other.
//         renew_peer() believes who calls it, which is this host's root.
// Blocks: on small files.

#ifndef LIBTELEPORT_NET_PEER_PAIRING_HPP
#define LIBTELEPORT_NET_PEER_PAIRING_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/net/peer_certificates.hpp"
#include "libteleport/net/peer_files.hpp"

namespace teleport {

/// Pairs a host under a name.
///
/// @param pem      its certificates: first the one in use, then one that it is
///                 about to use. A host that is paired under this name has
///                 these and no other from then on, under all its names.
/// @param replace  whether a name that has another key gets this one
/// @return what was replaced
/// @error errc::refused: the name has another key, which is not to be
///        replaced; or one of the keys is, or was, another host's
[[nodiscard]] result<peer_files> add_peer(const std::string& folder,
                                          const std::string& name,
                                          const std::string& pem,
                                          bool replace);

/// What a host says of its keys while it renews them.
struct renewed_keys {
  std::vector<host_certificate> accepted;  ///< with which it comes from now on
  std::vector<host_certificate> past;      ///< tell, too, which host it is
};

/// Gives a host that is paired its new keys, under all its names.
///
/// @return its files as they are now
/// @error errc::not_found: none of the keys is a paired host's; errc::refused:
///        they are, or were, several hosts'
[[nodiscard]] result<peer_files> renew_peer(const std::string& folder,
                                            const renewed_keys& shown);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_PEER_PAIRING_HPP
