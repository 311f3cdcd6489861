// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/pairing.hpp: exchanges two hosts' certificates over the
// administrator's ssh, once.
//
// Blocks: on ssh.

#ifndef TOOLS_TELEPORTCTL_PAIRING_HPP
#define TOOLS_TELEPORTCTL_PAIRING_HPP

#include <string>

#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// Pairs this host with another, both ways.
///
/// @param destination  as ssh takes it: [USER@]HOST; HOST becomes the name
///                     under which it is paired here
/// @param own_name     under which this host is paired there
/// @error what ssh said, or what the other host answered
result<void> pair_with(const std::string& destination,
                       const std::string& own_name,
                       const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_PAIRING_HPP
