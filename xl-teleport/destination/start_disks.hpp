// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/start_disks.hpp: the disks of an arriving guest as
// the configuration names them from which it is started again on this host.
//
// Threads: any. Blocks: on sysfs and /dev/disk.

#ifndef XL_TELEPORT_DESTINATION_START_DISKS_HPP
#define XL_TELEPORT_DESTINATION_START_DISKS_HPP

#include <string>
#include <vector>

#include "libteleport/disk/disk_book.hpp"
#include "libteleport/xen/facts.hpp"
#include "xl-teleport/setup/xl_config.hpp"

namespace teleport {

/// A name of a block device that outlives a boot; its own where it has none.
///
/// @param folders  of links that udev makes, the best first
[[nodiscard]] std::string stable_path(
    const std::string& device,
    const std::vector<std::string>& folders = {"/dev/disk/by-partuuid",
                                               "/dev/disk/by-id"});

/// @param kept   of each disk that is moved, its place here
/// @param files  the store makes files
[[nodiscard]] std::vector<start_disk> start_disks_of(
    const guest_info& guest, const std::vector<kept_disk>& kept, bool files);

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_START_DISKS_HPP
