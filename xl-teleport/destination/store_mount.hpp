// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/store_mount.hpp: whether the store's file system is
// mounted. Where its mount is missing, the folder below is there all the same,
// and disks would fill the file system that the mount point is on.
//
// The mount point of a store is written down in STATE/store-mount, and a store
// is refused that was seen on a mount which is not there.
//
// Threads: any. Blocks: on small files.

#ifndef XL_TELEPORT_DESTINATION_STORE_MOUNT_HPP
#define XL_TELEPORT_DESTINATION_STORE_MOUNT_HPP

#include <memory>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_store.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

struct store_mount {
  std::string store;        ///< the folder, as teleport.conf names it
  std::string mount_point;  ///< of the file system that it is on
};

/// @param before  what was written down
/// @error errc::refused when `now` is the same store without its mount
[[nodiscard]] result<void> check_mount(const store_mount& before,
                                       const store_mount& now);

/// Opens the store of arriving disks.
///
/// @error as open_store(); errc::refused when its mount is missing;
///        errc::corrupt for a damaged file
[[nodiscard]] result<std::unique_ptr<disk_store>> open_mounted_store(
    const settings& options);

/// Writes down where the store is mounted, unless that is known.
///
/// @error as open_mounted_store(): nothing is written
[[nodiscard]] result<void> note_store_mount(const settings& options);

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_STORE_MOUNT_HPP
