// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/leftovers.hpp: what sessions that were killed, or
// lost with the host's power, have left undone: half-built guests, loop
// devices, entries of the book of kept disks, names of disks.
//
// Threads: any; processes wait for each other. Blocks: on Xen, LVM and fsync.

#ifndef XL_TELEPORT_DESTINATION_LEFTOVERS_HPP
#define XL_TELEPORT_DESTINATION_LEFTOVERS_HPP

#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// Does all of it that can be done now, once. What a live session works on is
/// left alone.
///
/// @return whether something is left that will be possible soon: a disk is in
///         use by an xl that is ending
[[nodiscard]] bool clear_leftovers(const settings& config);

/// The same, again and again until nothing is left or the time is over.
void clear_leftovers_patiently(const settings& config);

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_LEFTOVERS_HPP
