// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/store_room.hpp: whether a session's targets have room
// in the store, and in what its host may have brought there.
//
// Threads: plain values; look_at_room() any. Blocks: look_at_room() on small
//          files and LVM.

#ifndef XL_TELEPORT_DESTINATION_STORE_ROOM_HPP
#define XL_TELEPORT_DESTINATION_STORE_ROOM_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_store.hpp"
#include "libteleport/session/setup_records.hpp"
#include "xl-teleport/destination/known_peer.hpp"
#include "xl-teleport/destination/placement.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

struct store_room {
  std::string pool;  ///< "volume group vg0"
  // Bytes:
  std::uint64_t needed = 0;
  std::uint64_t free = 0;
  std::uint64_t promised = 0;  ///< of these, to other sessions
  std::uint64_t reserve = 0;   ///< of these, to be left free
  /// The host may not bring so much, as a sentence; empty where it may.
  std::string beyond_quota;

  /// What is left of `free` for this session.
  [[nodiscard]] std::uint64_t usable() const;
  /// With the figures: "store_space", "peer_quota".
  [[nodiscard]] std::vector<problem> problems() const;
};

/// What is offered, who offers it, and what foresee() says of it.
struct foreseen_guest {
  const guest_info& guest;
  const known_peer& peer;
  const foreseen& seen;
};

[[nodiscard]] result<store_room> look_at_room(const foreseen_guest& offered,
                                              const disk_book& book,
                                              disk_store& store,
                                              const settings& options);

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_STORE_ROOM_HPP
