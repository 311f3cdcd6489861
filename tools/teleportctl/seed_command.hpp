// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/seed_command.hpp: `teleportctl seed`: brings disks to
// another host before they are needed there.
//
// Threads: the main thread runs the loop. Blocks: until the disks are there;
// SIGINT and SIGTERM end it, and the next attempt goes on.

#ifndef TOOLS_TELEPORTCTL_SEED_COMMAND_HPP
#define TOOLS_TELEPORTCTL_SEED_COMMAND_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/net/pacer.hpp"
#include "xl-teleport/setup/settings.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): CLI11's own
namespace CLI {
class App;
}

namespace teleport {

/// What the user asked for; filled while CLI11 parses.
struct seed_command {
  const CLI::App* parsed = nullptr;
  std::vector<std::string> names;  ///< [DOMAIN] HOST
  std::string disk;
  std::string belongs_to;
  std::string peer;  ///< under which HOST is paired; empty: HOST
  link_rate bwlimit = 0;
  std::optional<unsigned> connections;  ///< nullopt: as the settings say
  std::chrono::seconds reconnect_limit{600};
  std::uint16_t port = 0;
  bool json = false;
  bool quiet = false;
  bool no_progress = false;
};

/// @param command  must outlive the parsing
void add_seed_command(CLI::App& app, seed_command& command);

/// @return exit status: 0 done, 1 failed, 2 wrong usage
[[nodiscard]] int run_seed_command(const seed_command& command,
                                   settings options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_SEED_COMMAND_HPP
