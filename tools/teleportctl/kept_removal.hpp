// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/kept_removal.hpp: deletes what is kept here for a guest,
// when it is the disk that was kept and nobody needs it.
//
// Threads: any; sessions of the guest, and whoever clears up after them, wait
// or are waited for.
// Blocks: on files, Xen, and on LVM's commands.
// Trust: an entry's names are dealt anew; its identity is not.

#ifndef TOOLS_TELEPORTCTL_KEPT_REMOVAL_HPP
#define TOOLS_TELEPORTCTL_KEPT_REMOVAL_HPP

#include "libteleport/base/error.hpp"
#include "tools/teleportctl/kept_items.hpp"

namespace teleport {

/// Whether the disk may be deleted as far as can be seen without locks: no
/// guest has it, no teleport of its guest is unfinished, it is there, and it is
/// the disk that was kept, under a name from which no guest is started.
///
/// @error the reason why not
[[nodiscard]] result<void> check_removable(const kept_item& item,
                                           const settings& options);

/// Deletes the disk, and then its entry, under the guest's locks, when
/// check_removable() still holds.
///
/// @error errc::busy when a session or a program has it; as check_removable()
[[nodiscard]] result<void> remove_kept(const kept_item& item,
                                       const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_KEPT_REMOVAL_HPP
