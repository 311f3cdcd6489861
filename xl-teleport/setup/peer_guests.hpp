// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/peer_guests.hpp: whether a paired host has to do with a
// guest: it brought the guest or its disks here, or was sent them, by this
// host's journal and books. A limited host is told of no other guest.
//
// Threads: any. Blocks: on small files and LVM.
// Trust:   the query is a peer's; its number and uuid were checked.

#ifndef XL_TELEPORT_SETUP_PEER_GUESTS_HPP
#define XL_TELEPORT_SETUP_PEER_GUESTS_HPP

#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/session/end_records.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// Whether the host with this key may be told what became of the teleport and
/// of its guest. A teleport that another host brought is never its own.
///
/// @param key    SHA-256 of its certificate
/// @error where the journal or the books cannot be read
[[nodiscard]] result<bool> is_of_peer(const teleport_query& query,
                                      const std::string& key,
                                      const settings& config);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_PEER_GUESTS_HPP
