// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/disk_facts.hpp: what sysfs tells of a block device: who it
// is, and the kernel's own count of its writes.
//
// Threads: any. Blocks: no (sysfs never touches the disk).

#ifndef LIBTELEPORT_DISK_DISK_FACTS_HPP
#define LIBTELEPORT_DISK_DISK_FACTS_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include "libteleport/base/error.hpp"

namespace teleport {

/// A block device as it was found; a partition is a window on its disk.
struct disk_facts {
  std::string device;
  /// Of the device itself and of the whole disk it lies on.
  unsigned major = 0;
  unsigned minor = 0;
  unsigned disk_major = 0;
  unsigned disk_minor = 0;
  /// The window, in sectors of 512 bytes; a whole disk starts at 0.
  std::uint64_t start = 0;
  std::uint64_t sectors = 0;
  /// Changes when a loop or device-mapper device is made anew; 0 when the
  /// kernel (before 5.15) does not tell.
  std::uint64_t sequence = 0;
  bool is_device_mapper = false;
  /// The sysfs folder of the whole disk.
  std::string folder;
};

[[nodiscard]] result<disk_facts> find_disk(const std::string& device);

/// True when the very same device is still there in the same size.
///
/// @error errc::mismatch with what changed
[[nodiscard]] result<void> check_same_disk(const disk_facts& disk);

/// Bytes of a tracker's mark: a block up to 256 GiB, 64 KiB beyond, so that the
/// marks of the former take 8 MiB at most.
///
/// @error errc::bad_input when no disk has such a size
[[nodiscard]] result<std::size_t> mark_grain(const disk_facts& disk);

/// Writes of the whole disk that the driver has begun and not ended. Requests
/// that wait in an I/O scheduler are not counted by kernels before 6.14.
[[nodiscard]] result<std::uint64_t> writes_in_flight(const disk_facts& disk);

/// Sectors ever written or discarded on the whole disk, as the kernel counts.
///
/// @error errc::unsupported when counting was turned off
[[nodiscard]] result<std::uint64_t> sectors_written(const disk_facts& disk);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DISK_FACTS_HPP
