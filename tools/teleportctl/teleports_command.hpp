// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/teleports_command.hpp: `teleportctl teleports`, which shows
// the journal, and the commands of the units that guard a boot and a shutdown.
//
// Threads: one. Blocks: on Xen, disks and files.

#ifndef TOOLS_TELEPORTCTL_TELEPORTS_COMMAND_HPP
#define TOOLS_TELEPORTCTL_TELEPORTS_COMMAND_HPP

#include <optional>

#include <CLI/CLI.hpp>

#include "xl-teleport/setup/settings.hpp"

namespace teleport {

struct teleports_command {
  CLI::App* list = nullptr;
  CLI::App* after_boot = nullptr;
  CLI::App* before_shutdown = nullptr;
  bool unsettled = false;
  bool needed = false;
  bool json = false;
};

void add_teleports_commands(CLI::App& app, teleports_command& read);

/// @return exit code, or nothing when it was another command
[[nodiscard]] std::optional<int> run_teleports_command(
    const teleports_command& read, const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_TELEPORTS_COMMAND_HPP
