// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/peers_command.hpp: 'teleportctl peers': the paired hosts
// and what each of them may do here.
//
// Blocks: on small files.

#ifndef TOOLS_TELEPORTCTL_PEERS_COMMAND_HPP
#define TOOLS_TELEPORTCTL_PEERS_COMMAND_HPP

#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// Prints them; files that limit no paired host are named on standard error.
result<void> list_peers(const settings& options, bool json);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_PEERS_COMMAND_HPP
