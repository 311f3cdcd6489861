// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/device_stack.hpp: what a block device is made of, down to
// the drives, as one number: it changes when anything below the device is
// exchanged, by which its content would change without a write to it.
//
// Threads: any. Blocks: sysfs and ioctls; never on the disk.

#ifndef LIBTELEPORT_DISK_DEVICE_STACK_HPP
#define LIBTELEPORT_DISK_DEVICE_STACK_HPP

#include <cstdint>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_facts.hpp"

namespace teleport {

/// Digest of the tables of all device-mapper devices, the files and offsets of
/// all loop devices, and the numbers of all drives below the disk.
///
/// Only kinds are listed whose content changes by writes to this host's device
/// alone while a guest has it: loop, SCSI, NVMe, virtio and Xen disks, md, and
/// the device mapper over these. The content of others (DRBD, Ceph's rbd, nbd,
/// ZFS's zvols) changes below them, and no count of writes shows it.
///
/// @error errc::unsupported with the device of another kind
[[nodiscard]] result<std::uint64_t> stack_digest(const disk_facts& disk);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DEVICE_STACK_HPP
