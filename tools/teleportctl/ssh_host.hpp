// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/ssh_host.hpp: another host as ssh names it.

#ifndef TOOLS_TELEPORTCTL_SSH_HOST_HPP
#define TOOLS_TELEPORTCTL_SSH_HOST_HPP

#include <cstdint>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport {

struct ssh_host {
  /// ssh's options and the destination.
  std::vector<std::string> arguments;
  /// Under which the host is paired: without user and port.
  std::string name;
};

/// Reads [USER@]HOST or ssh://[USER@]HOST[:PORT], HOST being a name, one of
/// ssh's configuration, or an address; IPv6 with or without brackets.
///
/// @param port  0: ssh's own, or the one in ssh://
/// @error errc::bad_input
[[nodiscard]] result<ssh_host> read_ssh_host(const std::string& text,
                                             std::uint16_t port);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_SSH_HOST_HPP
