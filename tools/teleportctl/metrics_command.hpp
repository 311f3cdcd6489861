// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/metrics_command.hpp: `teleportctl metrics`, for Prometheus.
//
// Threads: one. Blocks: on files, disks and the index.

#ifndef TOOLS_TELEPORTCTL_METRICS_COMMAND_HPP
#define TOOLS_TELEPORTCTL_METRICS_COMMAND_HPP

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

#include "xl-teleport/setup/settings.hpp"

namespace teleport {

struct metrics_command {
  CLI::App* parsed = nullptr;
  std::string output;  ///< empty: standard output
};

/// Adds the command; `read` must outlive the parsing.
void add_metrics_command(CLI::App& app, metrics_command& read);

/// @return exit code, or nothing when it was another command
[[nodiscard]] std::optional<int> run_metrics_command(
    const metrics_command& read, const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_METRICS_COMMAND_HPP
