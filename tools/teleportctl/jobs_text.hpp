// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/jobs_text.hpp: jobs in words and as JSON.
//
// Threads: pure functions.

#ifndef TOOLS_TELEPORTCTL_JOBS_TEXT_HPP
#define TOOLS_TELEPORTCTL_JOBS_TEXT_HPP

#include <string>

#include <nlohmann/json.hpp>

#include "xl-teleport/setup/job.hpp"

namespace teleport {

/// "5f0c2d11  teleport of web1 to host2: disks  45 %": of one that runs.
[[nodiscard]] std::string line_of_job(const job& one);

/// The same of the history, with its times and its end.
[[nodiscard]] std::string line_of_history(const job& one, job_state state);

/// Several lines: all that is known of it.
[[nodiscard]] std::string text_of_job(const job& one, job_state state);

[[nodiscard]] nlohmann::json to_json(const job& one, job_state state);

/// What was asked for by `teleportctl log GUEST`.
/// @param guest  name or uuid; empty: all
[[nodiscard]] bool is_of_guest(const job& one, const std::string& guest);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_JOBS_TEXT_HPP
