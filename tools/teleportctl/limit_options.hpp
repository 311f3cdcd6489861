// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/limit_options.hpp: what 'teleportctl pair' reads of the
// limits of a host that is not one of ours.

#ifndef TOOLS_TELEPORTCTL_LIMIT_OPTIONS_HPP
#define TOOLS_TELEPORTCTL_LIMIT_OPTIONS_HPP

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "xl-teleport/setup/peer_rights.hpp"

namespace teleport {

struct limit_options {
  bool limited = false;
  std::vector<std::string> may;
  std::vector<std::string> guests;
  std::string store_limit = "0";
  std::size_t sessions = 1;
};

/// @param read  outlives the command
void add_limit_options(CLI::App& command, limit_options& read);

/// @return none where the host is one of ours
[[nodiscard]] std::optional<peer_limits> limits_of(const limit_options& read);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_LIMIT_OPTIONS_HPP
