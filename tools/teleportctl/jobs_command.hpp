// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/jobs_command.hpp: `teleportctl jobs`, `top`, `show`, `log`
// and `cancel`: what runs on this host, and what has run.
//
// Threads: one. Blocks: on files; `cancel` until the job has ended, `top` until
// it is ended.

#ifndef TOOLS_TELEPORTCTL_JOBS_COMMAND_HPP
#define TOOLS_TELEPORTCTL_JOBS_COMMAND_HPP

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "xl-teleport/setup/settings.hpp"

namespace teleport {

struct jobs_command {
  CLI::App* jobs = nullptr;
  CLI::App* top = nullptr;
  CLI::App* show = nullptr;
  CLI::App* log = nullptr;
  CLI::App* cancel = nullptr;
  std::string id;
  std::string guest;
  bool json = false;
};

void add_jobs_commands(CLI::App& app, jobs_command& read);

/// @return exit code, or nothing when it was another command
[[nodiscard]] std::optional<int> run_jobs_command(const jobs_command& read,
                                                  const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_JOBS_COMMAND_HPP
