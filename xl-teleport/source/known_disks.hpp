// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/known_disks.hpp: what this host's index knows of the disks
// that leave it, so that they are not read but for gaps.
//
// Blocks: on opening the index.

#ifndef XL_TELEPORT_SOURCE_KNOWN_DISKS_HPP
#define XL_TELEPORT_SOURCE_KNOWN_DISKS_HPP

#include "xl-teleport/setup/settings.hpp"
#include "xl-teleport/source/disk_mover.hpp"

namespace teleport {

/// @return empty where there is no index
[[nodiscard]] known_content_factory known_by_index(const settings& config);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_KNOWN_DISKS_HPP
