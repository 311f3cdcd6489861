// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/index_command.hpp: `teleportctl index ...`: add, scan,
// remove, list and look at what the content index knows.
//
// Threads: the main thread. Blocks: for as long as disks take to read; SIGINT
// and SIGTERM end a scan after writing down what it has.

#ifndef TOOLS_TELEPORTCTL_INDEX_COMMAND_HPP
#define TOOLS_TELEPORTCTL_INDEX_COMMAND_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "xl-teleport/setup/settings.hpp"

// NOLINTNEXTLINE(readability-identifier-naming): CLI11's own
namespace CLI {
class App;
}

namespace teleport {

/// What the user asked for; filled while CLI11 parses.
struct index_command {
  const CLI::App* add = nullptr;
  const CLI::App* scan = nullptr;
  const CLI::App* remove = nullptr;
  const CLI::App* pause = nullptr;
  const CLI::App* resume = nullptr;
  const CLI::App* list = nullptr;
  const CLI::App* stat = nullptr;
  const CLI::App* check = nullptr;
  const CLI::App* find = nullptr;
  std::string folder;  ///< empty: as the settings say
  std::vector<std::string> paths;
  std::string disk;  ///< of `find`
  bool all = false;
  bool dry_run = false;
  bool json = false;
  unsigned threads = 0;
  std::uint64_t mib_per_second = 0;
  std::size_t max_followed = 0;  ///< as the settings say
  settings config;               ///< for the jobs that scans are
};

/// Adds the command `index` and its subcommands.
/// @param command  must outlive the parsing
void add_index_commands(CLI::App& app, index_command& command);

/// Runs what was parsed.
/// @return exit status: 0 done, 1 failed, 2 wrong usage
[[nodiscard]] int run_index_command(index_command command,
                                    const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_INDEX_COMMAND_HPP
