// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/start_config.hpp: the configuration, as xl.cfg(5) has it,
// from which an arrived guest is started again: made anew of the options that
// are a guest's own. xl runs as root and does what this file says, as libxl
// does what GUEST_CONFIG says (guest_config.hpp).
//
// Threads: pure functions.
// Trust:   the text comes from a peer; no byte of it is copied unseen.

#ifndef LIBTELEPORT_XEN_START_CONFIG_HPP
#define LIBTELEPORT_XEN_START_CONFIG_HPP

#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/xen/facts.hpp"
#include "libteleport/xen/guest_config.hpp"

namespace teleport {

struct start_config {
  /// Without uuid and disks, which each host adds for itself.
  std::string text;
  /// Options of the source's that are not in it: "pci", "vif.script".
  std::vector<std::string> left_out;
};

/// @param from     the source's file
/// @param offered  name and type are these; memory and vcpus are the file's,
///                 but no more than these
/// @error errc::bad_input where xl could not read the file either
[[nodiscard]] result<start_config> build_start_config(
    std::string_view from,
    const guest_info& offered,
    const arrival_rules& rules);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_START_CONFIG_HPP
