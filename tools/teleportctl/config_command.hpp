// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/config_command.hpp: `teleportctl config ...`: what
// teleport.conf says, for scripts and people, and whether it can work here.
//
// Threads: the main thread.

#ifndef TOOLS_TELEPORTCTL_CONFIG_COMMAND_HPP
#define TOOLS_TELEPORTCTL_CONFIG_COMMAND_HPP

#include <optional>
#include <string>
#include <vector>

#include "xl-teleport/setup/settings.hpp"

namespace CLI {
class App;
}

namespace teleport {

struct config_command {
  CLI::App* check = nullptr;
  CLI::App* get = nullptr;
  CLI::App* show = nullptr;
  std::string key;
  bool json = false;
};

/// Adds the commands; `read` must outlive the parsing.
void add_config_commands(CLI::App& app, config_command& read);

/// What of the configuration, which is read, cannot work on this host, a
/// sentence each.
[[nodiscard]] std::vector<std::string> faults_here(const settings& options);

/// @param file   the configuration
/// @param named  by the user
/// @return exit code, or nothing when it was another command
[[nodiscard]] std::optional<int> run_config_command(const config_command& read,
                                                    const settings& options,
                                                    const std::string& file,
                                                    bool named);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_CONFIG_COMMAND_HPP
