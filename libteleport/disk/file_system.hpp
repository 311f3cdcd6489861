// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/file_system.hpp: what the kind of a file system means for
// the disks of guests that lie on it as files.
//
// Threads: functions without state. Blocks: on the file system.

#ifndef LIBTELEPORT_DISK_FILE_SYSTEM_HPP
#define LIBTELEPORT_DISK_FILE_SYSTEM_HPP

#include <cstdint>
#include <string>

#include "libteleport/base/error.hpp"

namespace teleport {

enum class file_system_kind {
  /// Blocks are overwritten where they lie, or the file system copies them in a
  /// way that no file can do without (ZFS, bcachefs; XFS's shared blocks).
  ordinary,
  /// btrfs copies each block on write, of a file with FS_NOCOW_FL none.
  btrfs,
  /// Other hosts may use the same files at the same time.
  network,
};

/// @param type  statfs::f_type
[[nodiscard]] file_system_kind kind_of_file_system(std::uint64_t type);

/// Whether arriving disks may be made in this folder.
///
/// @error errc::unsupported on a network file system, with the reason
[[nodiscard]] result<void> check_store_folder(const std::string& path);

/// Has a file overwritten where it lies, if its file system would copy: btrfs
/// has checksums of what it copies, which are wrong when the guest changes a
/// page that is being written, and a disk in a hundred thousand pieces later.
///
/// @param file  a regular file, still empty
/// @param name  for the error
/// @error errc::unsupported when btrfs refuses
[[nodiscard]] result<void> overwrite_in_place(int file,
                                              const std::string& name);

/// The highest folder on a path that is on the same file system: its mount
/// point, or a subvolume of btrfs.
///
/// @param path  absolute, without symbolic links
[[nodiscard]] result<std::string> mount_point_of(const std::string& path);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_FILE_SYSTEM_HPP
