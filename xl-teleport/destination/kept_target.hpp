// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/kept_target.hpp: whether a disk that this host keeps
// for a guest can be the target of the guest's teleport: it is there, it can
// have the guest's size, and it is the disk that was kept.
//
// Threads: any, one at a time for one guest. Blocks: on files and on LVM.
// Trust: an entry's names are dealt anew; its identity is not.

#ifndef XL_TELEPORT_DESTINATION_KEPT_TARGET_HPP
#define XL_TELEPORT_DESTINATION_KEPT_TARGET_HPP

#include <memory>
#include <optional>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/disk_store.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "xl-teleport/destination/known_peer.hpp"
#include "xl-teleport/setup/kept_standing.hpp"

namespace teleport {

/// A disk of a guest that a peer wants to bring.
struct brought_disk {
  const guest_info& guest;
  const guest_disk& disk;
  const known_peer& peer;
};

/// The home of a kept disk: a shadow's own, or the store's of a target that
/// was begun there.
[[nodiscard]] result<std::unique_ptr<disk_home>> home_of(const kept_disk& kept,
                                                         disk_store& store);

/// What an entry is to say of a disk: none, with a warning in the log, where
/// it cannot be told which disk it is.
[[nodiscard]] std::optional<disk_identity> identity_of(const disk_home& home);

/// The entry for a guest's disk, when what it names is still there, is the disk
/// that was kept, is no guest's by now, and can have the size; else none, with
/// the reason in the log.
///
/// @error when it cannot be looked at: what cannot is not gone;
///        errc::refused as check_may_fill()
[[nodiscard]] result<std::optional<kept_disk>> usable_entry(
    const disk_book& book,
    disk_store& store,
    const kept_review& review,
    const brought_disk& brought);

/// Refuses a limited host the disk that another host has brought for the guest,
/// or a guest of this host has left: the entry of the one, too, that would be
/// written over by a new target's.
///
/// @error errc::refused
[[nodiscard]] result<void> check_may_fill(const disk_book& book,
                                          const brought_disk& brought);

/// Refuses to cut a shadow: what lies beyond the new size may be a guest's only
/// copy, and no byte of the new content is here yet.
///
/// @error errc::refused
[[nodiscard]] result<void> check_not_cut(const kept_disk& kept,
                                         const guest_disk& disk);

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_KEPT_TARGET_HPP
