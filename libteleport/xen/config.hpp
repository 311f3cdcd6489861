// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/config.hpp: libxl's JSON of a guest's configuration, read
// for facts. Text in, text out: no libxl here. guest_config.hpp builds another
// of it.
//
// Threads: pure functions.
// Trust:   the text may come from a peer: every field used is checked.

#ifndef LIBTELEPORT_XEN_CONFIG_HPP
#define LIBTELEPORT_XEN_CONFIG_HPP

#include <cstddef>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/xen/facts.hpp"

namespace teleport {

/// Longest configuration accepted, in bytes. One with 16 disks and 8 nics has
/// 10 KiB; the rest is room for cpuid and device lists.
inline constexpr std::size_t max_config_bytes = std::size_t{256} << 10U;

/// What the configuration alone says: all of guest_info but domid and the
/// disks' devices, sizes and numbers.
[[nodiscard]] result<guest_info> read_config(const std::string& config_json);

/// What in the configuration forbids a migration, in words: nomigrate, vnuma.
[[nodiscard]] std::vector<std::string> migration_vetoes(
    const std::string& config_json);

/// The same configuration without the passwords of the guest's displays; the
/// text itself where it is no JSON object.
[[nodiscard]] std::string without_passwords(const std::string& config_json);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_CONFIG_HPP
