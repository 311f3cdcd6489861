// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/thin_volume.hpp: is a device a dm-thin volume?
//
// It matters for zeroing: a discard on dm-thin reads back as zeros reliably,
// elsewhere a discard promises nothing.
//
// Threads: any. Blocks: shortly, on the device mapper's control device.

#ifndef LIBTELEPORT_DISK_THIN_VOLUME_HPP
#define LIBTELEPORT_DISK_THIN_VOLUME_HPP

namespace teleport {

/// True when the open block device is a device-mapper device that consists of
/// one "thin" target; false when not, or when that cannot be told.
[[nodiscard]] bool is_thin_volume(int device_fd);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_THIN_VOLUME_HPP
