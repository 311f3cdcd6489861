// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/domain_signs.hpp: the state of a domain, from what Xen and
// xenstore say of it. The one place that tells a domain whose destruction has
// begun from one that can run.
//
// libxl destroys a domain in this order (libxl__destroy_domid()): it pauses the
// domain; tells all backends to close; removes each device as its backend has
// closed; removes the domain's trees in xenstore, its name with them, and its
// configuration; has Xen free it. A process that is killed in between leaves
// the rest undone, and Xen calls the domain paused or suspended until the last
// step.
//
// Threads: pure functions.

#ifndef LIBTELEPORT_XEN_DOMAIN_SIGNS_HPP
#define LIBTELEPORT_XEN_DOMAIN_SIGNS_HPP

#include <cstdint>

#include "libteleport/xen/guest_seen.hpp"
#include "libteleport/xen/running_disks.hpp"

namespace teleport {

/// A domain's devices in xenstore.
struct device_signs {
  /// The domain is built, its tree of libxl's is there, and has none: every
  /// guest of libxl's has a console. A domain that is being built may look so
  /// for a moment.
  bool gone = false;
  /// The guest has disks, and all of their backends were told to close.
  bool closing = false;
};

[[nodiscard]] device_signs devices_of(const node_reader& nodes,
                                      std::uint32_t domid);

struct domain_signs {
  bool dying = false;  ///< Xen frees it
  bool shut_down = false;
  bool by_suspend = false;  ///< the reason of shut_down
  bool paused = false;
  /// xl names a domain before it gives it memory.
  bool has_memory = false;
  bool has_name = false;
  device_signs devices;
};

[[nodiscard]] guest_state state_of(const domain_signs& domain);

/// Whether state_of() looks at the name and the devices: libxl pauses a domain
/// first, and so none that runs is half destroyed.
[[nodiscard]] bool may_be_half_destroyed(const domain_signs& domain);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_DOMAIN_SIGNS_HPP
