// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/shadow_command.hpp: `teleportctl shadow ...`: what is kept
// here for guests that are elsewhere.
//
// Threads: the main thread.

#ifndef TOOLS_TELEPORTCTL_SHADOW_COMMAND_HPP
#define TOOLS_TELEPORTCTL_SHADOW_COMMAND_HPP

#include <optional>
#include <string>

#include "tools/teleportctl/prune_plan.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace CLI {
class App;
}

namespace teleport {

struct shadow_command {
  CLI::App* list = nullptr;
  CLI::App* forget = nullptr;
  CLI::App* remove = nullptr;
  CLI::App* prune = nullptr;
  std::string guest;  ///< name or uuid
  prune_limits limits;
  bool dry_run = false;
  bool json = false;
};

/// Adds the commands; `read` must outlive the parsing.
void add_shadow_commands(CLI::App& app, shadow_command& read);

/// @return exit code, or nothing when it was another command
[[nodiscard]] std::optional<int> run_shadow_command(const shadow_command& read,
                                                    const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_SHADOW_COMMAND_HPP
