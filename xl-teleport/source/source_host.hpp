// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/source_host.hpp: what the source looks up before a
// teleport, and what it does with the guest and its disks afterwards.
//
// Blocks: on Xen, disks and files.

#ifndef XL_TELEPORT_SOURCE_SOURCE_HOST_HPP
#define XL_TELEPORT_SOURCE_SOURCE_HOST_HPP

#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/xen/preflight.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// A random name for a teleport: 32 hexadecimal digits.
[[nodiscard]] result<std::string> new_teleport_id();

/// The guest and this host, and every problem that can be seen from here.
struct source_view {
  guest_info guest;
  host_facts host;
  std::vector<problem> problems;
  std::optional<start_file> start;  ///< what starts the guest on this host
};
[[nodiscard]] result<source_view> look_at_guest(const std::string& name,
                                                bool live);

/// Pauses the guest, or unpauses it.
[[nodiscard]] result<void> set_paused(std::uint32_t domid, bool paused);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_SOURCE_HOST_HPP
