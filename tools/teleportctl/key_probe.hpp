// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/key_probe.hpp: whether a host lets this one in with a key
// that is not in use yet, asked of its teleportd.
//
// Blocks: for some seconds.

#ifndef TOOLS_TELEPORTCTL_KEY_PROBE_HPP
#define TOOLS_TELEPORTCTL_KEY_PROBE_HPP

#include <cstdint>
#include <string>

#include "libteleport/net/identity.hpp"

namespace teleport {

/// @param keys  with which it is tried
/// @param name  how the host is called
/// @param host  the key that it was first paired with
/// @return false also when it cannot be told
[[nodiscard]] bool is_let_in(const key_files& keys,
                             const std::string& name,
                             std::uint16_t port,
                             const std::string& host);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_KEY_PROBE_HPP
