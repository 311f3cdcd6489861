// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/boot_id.hpp: which boot of this host this is. What is named
// by a domain's number or a kernel's device name means nothing in another.
//
// Threads: any. Blocks: no.

#ifndef LIBTELEPORT_BASE_BOOT_ID_HPP
#define LIBTELEPORT_BASE_BOOT_ID_HPP

#include <string>

namespace teleport {

/// Where the kernel tells it.
inline constexpr const char* boot_id_file = "/proc/sys/kernel/random/boot_id";

/// The kernel's random name for this boot; empty where it tells none.
/// @param file  another one for tests
[[nodiscard]] std::string this_boot(const std::string& file = boot_id_file);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_BOOT_ID_HPP
