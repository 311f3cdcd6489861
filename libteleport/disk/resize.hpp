// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/resize.hpp: gives a disk that is kept here the size that the
// guest's disk has now: what is in it saves as much of the link as before.
//
// Threads: any, one at a time for one disk. Blocks: on the disk and on LVM's
// commands.

#ifndef LIBTELEPORT_DISK_RESIZE_HPP
#define LIBTELEPORT_DISK_RESIZE_HPP

#include <cstdint>
#include <string>

#include "libteleport/base/error.hpp"

namespace teleport {

/// Does nothing when it has that size. What lies beyond a smaller size is lost;
/// what a larger one adds may hold anything in a volume, and zeros in a file.
///
/// @param path  a regular file, whose loop device is detached, or the path of a
///              logical volume; nobody else uses it
/// @param size  bytes
/// @error errc::bad_input for the size; errc::no_space; errc::busy; errc::refused
///        for anything else than a file or a volume
[[nodiscard]] result<void> resize_disk(const std::string& path,
                                       std::uint64_t size);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_RESIZE_HPP
