// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/device_mapper.hpp: what we ask of the kernel's device
// mapper, through its control device and without a library.
//
// Threads: any. Blocks: set_mapped_suspended() for as long as the device's
// slowest write takes; the others shortly.

#ifndef LIBTELEPORT_DISK_DEVICE_MAPPER_HPP
#define LIBTELEPORT_DISK_DEVICE_MAPPER_HPP

#include <cstdint>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

/// True when the open block device is a device-mapper device that consists of
/// one "thin" target; false when not, or when that cannot be told. A discard
/// on such a one reads back as zeros reliably; elsewhere it promises nothing.
[[nodiscard]] bool is_thin_volume(int device_fd);

/// Of the table of a device-mapper device: what it is made of. It changes when
/// content may come and go below the device, without a write to it: while a
/// snapshot is merged into it, for example.
///
/// @param device  its device number
/// @return 0 when it is no device-mapper device
[[nodiscard]] result<std::uint64_t> table_digest(std::uint64_t device);

/// What the kernel says of a device-mapper device.
struct mapped_state {
  std::string name;  ///< "vg0-web"
  std::string uuid;  ///< "LVM-..."; may be empty
  bool suspended = false;
  /// A table was loaded that the next resume makes the live one.
  bool has_next_table = false;
};

/// @param device  its device number
/// @error errc::system when it is no device-mapper device
[[nodiscard]] result<mapped_state> state_of_mapped(std::uint64_t device);

/// Suspends the device without freezing a filesystem on it, or resumes it.
/// A system call and nothing else: for a fork of a program with threads, too.
///
/// @param control  open on /dev/mapper/control
/// @param device   its device number
/// @return 0 or an errno value
int set_mapped_suspended(int control, std::uint64_t device, bool suspended);

/// @return open on /dev/mapper/control, or unset with errno
[[nodiscard]] unique_fd open_mapper_control();

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DEVICE_MAPPER_HPP
