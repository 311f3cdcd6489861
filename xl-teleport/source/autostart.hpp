// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/autostart.hpp: what `xendomains` starts at boot: the
// configurations in /etc/xen/auto, files or links.
//
// Threads: any. Blocks: on small files, and start_guest() on xl.

#ifndef XL_TELEPORT_SOURCE_AUTOSTART_HPP
#define XL_TELEPORT_SOURCE_AUTOSTART_HPP

#include <optional>
#include <string>

#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/start_files.hpp"

namespace teleport {

inline constexpr const char* autostart_folder = "/etc/xen/auto";

/// The configuration that starts this guest at boot.
[[nodiscard]] std::optional<std::string> autostart_of(
    const guest_name& guest, const std::string& folder = autostart_folder);

/// Before the guest leaves: that hide_autostart() will find its name free.
///
/// @error errc::busy
[[nodiscard]] result<void> check_hidable(
    const guest_name& guest, const std::string& folder = autostart_folder);

/// Renames it to a name that `xendomains` passes over.
///
/// @return its new path; nothing where the guest has none
[[nodiscard]] result<std::optional<std::string>> hide_autostart(
    const guest_name& guest, const std::string& folder = autostart_folder);
/// Takes that back. Does nothing where nothing was hidden.
[[nodiscard]] result<void> show_autostart(
    const guest_name& guest, const std::string& folder = autostart_folder);

/// `xl create`.
[[nodiscard]] result<void> start_guest(const std::string& configuration);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_AUTOSTART_HPP
