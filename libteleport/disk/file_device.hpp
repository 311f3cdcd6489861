// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/file_device.hpp: a block device or a regular file of this
// host behind the block_device seam, past the page cache.
//
// O_DIRECT always: blkback writes past the page cache of the device it opened,
// so a buffered read here returns old blocks. Only a regular file on a
// filesystem that refuses O_DIRECT (tmpfs) is read through the cache.
//
// Threads: as block_device. Blocks: on the disk.

#ifndef LIBTELEPORT_DISK_FILE_DEVICE_HPP
#define LIBTELEPORT_DISK_FILE_DEVICE_HPP

#include <memory>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/block_device.hpp"

namespace teleport {

enum class open_mode { read_only, read_write };

/// Opens an existing block device or regular file.
///
/// @error errc::not_found; errc::bad_input when it is neither of the two, is
///        empty, larger than max_disk_bytes, or no multiple of 512 bytes;
///        errc::unsupported when a block device refuses O_DIRECT
[[nodiscard]] result<std::unique_ptr<block_device>> open_device(
    const std::string& path, open_mode mode);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_FILE_DEVICE_HPP
