// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/rekey_command.hpp: 'teleportctl rekey': renews this host's
// key. The next one is given to every paired host over the administrator's ssh,
// beside the present one; once all have it, it is put in use; and then they
// drop the old one. Each run does what is left to do.
//
// Trust:  ssh proves this host's root to the other, as in pairing.hpp.
// Blocks: on ssh, which may ask the person at the terminal, and for the time
//         that a handshake may take, which may have begun with the old key.

#ifndef TOOLS_TELEPORTCTL_REKEY_COMMAND_HPP
#define TOOLS_TELEPORTCTL_REKEY_COMMAND_HPP

#include <cstddef>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

struct rekey_command {
  CLI::App* rekey = nullptr;
  CLI::App* accept = nullptr;
  bool now = false;   ///< hosts that cannot be reached are not waited for
  bool anew = false;  ///< also where the last one is not over everywhere
  bool show = false;
  /// NAME=DESTINATION: how ssh calls the host that is paired as NAME.
  std::vector<std::string> routes;
  /// Of what is said to accept-key, the last ones are of keys of the past.
  std::size_t past = 0;
  unsigned handshake_seconds = 20;  ///< libteleport/net/lane.cpp's limit
  /// For all of one host's ssh. Its sshd gives a person 120 s to log in, and
  /// accept-key ends within seconds.
  unsigned ssh_seconds = 180;
};

/// @param read  outlives the application
void add_rekey_command(CLI::App& app, rekey_command& read);

/// Prints what was done with each host.
///
/// @error what is left to do, and by which command
result<void> run_rekey(const rekey_command& read, const settings& options);

/// The other end of run_rekey(): reads the other host's certificates from
/// standard input.
result<void> accept_key(const rekey_command& read, const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_REKEY_COMMAND_HPP
