// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/block_sysfs.hpp: where the kernel says things of a block
// device.
//
// Threads: any. Blocks: no (sysfs never touches the disk).

#ifndef LIBTELEPORT_DISK_BLOCK_SYSFS_HPP
#define LIBTELEPORT_DISK_BLOCK_SYSFS_HPP

#include <string>
#include <string_view>

#include <sys/types.h>

namespace teleport {

/// "253:4", as the kernel writes a device's number.
[[nodiscard]] std::string numbers_of(dev_t device);

/// "/sys/dev/block/253:4", of a whole device or a partition.
///
/// @param numbers  as numbers_of() has them
/// @param sysfs    another root of it, for tests
[[nodiscard]] std::string block_folder(std::string_view numbers,
                                       std::string_view sysfs = "/sys");

/// The first line of a file in the device's folder; empty when there is none.
///
/// @param name  "dm/uuid"
[[nodiscard]] std::string block_attribute(std::string_view numbers,
                                          std::string_view name);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_BLOCK_SYSFS_HPP
