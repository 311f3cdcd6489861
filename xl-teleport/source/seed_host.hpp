// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/seed_host.hpp: what is to be seeded: the disks of a guest
// that runs here, or an image.
//
// Blocks: on Xen and disks.

#ifndef XL_TELEPORT_SOURCE_SEED_HOST_HPP
#define XL_TELEPORT_SOURCE_SEED_HOST_HPP

#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/xen/toolstack.hpp"

namespace teleport {

/// The disks of a guest of this host.
[[nodiscard]] result<guest_info> look_at_running(const std::string& name);

/// An image or block device as the disk of a guest that need not exist.
///
/// @param belongs_to  NAME[:DISK] of the guest: its name or uuid, and there
///                    "xvda" unless said otherwise; empty: the image's own
///                    name without its last extension
[[nodiscard]] result<guest_info> look_at_image(const std::string& path,
                                               const std::string& belongs_to);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_SEED_HOST_HPP
