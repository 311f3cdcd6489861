// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/device_mapper.hpp: the two questions we have to the kernel's
// device mapper, asked of its control device without a library.
//
// Threads: any. Blocks: drain_writes() for as long as the device's slowest
// write takes; the other shortly.

#ifndef LIBTELEPORT_DISK_DEVICE_MAPPER_HPP
#define LIBTELEPORT_DISK_DEVICE_MAPPER_HPP

#include <cstdint>
#include <functional>

#include "libteleport/base/error.hpp"

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

/// Suspends a device-mapper device without freezing a filesystem on it, which
/// waits for all its I/O, and resumes it at once. New I/O waits meanwhile. A
/// process of its own does both: it resumes the device also when this one is
/// killed in between.
///
/// @param device  its device number
/// @param quiet   called while nothing is in flight; must be quick and must
///                not touch the device
[[nodiscard]] result<void> drain_writes(std::uint64_t device,
                                        const std::function<void()>& quiet);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DEVICE_MAPPER_HPP
