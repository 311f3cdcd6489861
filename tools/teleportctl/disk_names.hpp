// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/disk_names.hpp: what an administrator writes for disks, to
// the disks.
//
// Threads: the main thread, before there are others (glob).
// Blocks: reads folders.

#ifndef TOOLS_TELEPORTCTL_DISK_NAMES_HPP
#define TOOLS_TELEPORTCTL_DISK_NAMES_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport {

/// Absolute, without "." and "..", symbolic links kept.
[[nodiscard]] std::string absolute_path(const std::string& path);

/// Each name is a disk or image, a pattern of the shell, a folder (its images),
/// or a volume group (its volumes, as udev links them in `devices`).
///
/// @param devices  /dev, but for tests
/// @return each disk once, in the order of the names
/// @error errc::not_found when they mean no disk at all
[[nodiscard]] result<std::vector<std::string>> disks_named(
    const std::vector<std::string>& names, const std::string& devices = "/dev");

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_DISK_NAMES_HPP
