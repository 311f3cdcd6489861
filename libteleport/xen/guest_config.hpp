// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/guest_config.hpp: the configuration of an arriving guest,
// built anew from what is known to be a guest's own (config_rules.hpp).
//
// Threads: pure functions.
// Trust:   the text comes from a peer; nothing of it is copied unseen.

#ifndef LIBTELEPORT_XEN_GUEST_CONFIG_HPP
#define LIBTELEPORT_XEN_GUEST_CONFIG_HPP

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/xen/facts.hpp"

namespace teleport {

/// What of its own a host lets an arriving guest name.
struct arrival_rules {
  /// Patterns of glob(7) for kernels, ramdisks, firmware and boot loaders. A
  /// '*' does not match a '/'.
  std::vector<std::string> boot_files;
  /// Names of scripts in /etc/xen/scripts that a network interface may have.
  std::vector<std::string> nic_scripts;
};

/// A host with Debian's packages and folders.
[[nodiscard]] arrival_rules default_arrival_rules();

/// Whether the path is whole, without "." and "..", and in the list.
[[nodiscard]] bool may_boot_from(const arrival_rules& rules,
                                 std::string_view path);

/// What of the configuration no destination builds, one sentence each: for
/// the source, before anything is sent.
[[nodiscard]] std::vector<std::string> unbuildable_members(
    const std::string& config_json);

/// The same, and what these rules do not list: for the destination, when the
/// guest is offered.
[[nodiscard]] std::vector<std::string> unbuildable_members(
    const std::string& config_json, const arrival_rules& rules);

/// The configuration for libxl here: members of the guest's own alone, each
/// disk at its new path as a raw block device under dom0's blkback, empty
/// drives as they are. What is absent stays absent: libxl's defaults are not
/// those of every release.
///
/// @param offered  what was agreed on: name, uuid and type are to be the
///                 same, memory and vcpus no more
/// @param paths    for each disk that is not empty, by vdev: its new path
/// @error errc::bad_input when something is refused, another guest is
///        described, a disk is not mapped, a mapped one is not there, or a
///        path is not absolute; errc::corrupt for unreadable JSON
[[nodiscard]] result<std::string> build_config(
    const std::string& config_json,
    const guest_info& offered,
    const std::map<std::string, std::string>& paths,
    const arrival_rules& rules);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_GUEST_CONFIG_HPP
