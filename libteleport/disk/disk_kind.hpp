// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/disk_kind.hpp: the kinds of places in which a guest's disk
// can lie. A new kind is a number here, a class (disk_home.hpp) and a line in
// disk_home.cpp; where disks of it are to be made, a store as well (store.hpp).

#ifndef LIBTELEPORT_DISK_DISK_KIND_HPP
#define LIBTELEPORT_DISK_DISK_KIND_HPP

namespace teleport {

/// Written into the book of kept disks: never reused or renumbered.
enum class disk_kind {
  /// A regular file, behind a loop device or named directly.
  file = 1,
  /// An LVM logical volume, thick or thin.
  logical_volume = 2,
  /// Any other block device. It has one name and one size.
  other_device = 3,
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DISK_KIND_HPP
