// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/host_events.hpp: a boot and a shutdown of the host, seen
// from the journal: what may run elsewhere must not be started, saved or
// resumed by `xendomains` here. PROTOCOL.md, section 6.8.
//
// Threads: one. Blocks: on Xen, disks and files.

#ifndef XL_TELEPORT_SOURCE_HOST_EVENTS_HPP
#define XL_TELEPORT_SOURCE_HOST_EVENTS_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// What was done, a sentence a guest.
struct host_event_report {
  std::vector<std::string> done;
  /// What could not be done, and what a person has to do.
  std::vector<std::string> failed;
};

/// Before any guest is started: the disks of guests that left in an earlier
/// boot, or may have, are set aside, and the guests' autostarts are hidden, for
/// a disk may keep its name. May be repeated at any time: what left in this
/// boot is not touched.
///
/// @error the journal cannot be read
[[nodiscard]] result<host_event_report> after_boot(const settings& config);

/// Before `xendomains` saves guests: destroys the suspended domains for which
/// GO was sent and no answer came. Their memory ends with this boot in any
/// case; `xl save` could resume one that runs elsewhere.
///
/// @error the journal cannot be read
[[nodiscard]] result<host_event_report> before_shutdown(const settings& config);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_HOST_EVENTS_HPP
