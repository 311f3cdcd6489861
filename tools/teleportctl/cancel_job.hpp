// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/cancel_job.hpp: ends a job that another process is at work
// on, as Ctrl-C does at its terminal, and says what came of it.
//
// Threads: one. Blocks: until the process has ended, or for a minute.
// Trust:   the job's file is root's; its process is signalled by its pid and
//          its start.

#ifndef TOOLS_TELEPORTCTL_CANCEL_JOB_HPP
#define TOOLS_TELEPORTCTL_CANCEL_JOB_HPP

#include <optional>
#include <string>

#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/job.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

struct cancel_outcome {
  job one;
  bool cancelled = false;
  std::string sentence;
};

/// What is said once the process was signalled.
///
/// @param after  of the history; nullopt: it is not there
/// @param ended  the process has, in time
[[nodiscard]] cancel_outcome outcome_of_cancel(const job& before,
                                               const std::optional<job>& after,
                                               bool ended);

/// @param id  a beginning of it
/// @error errc::not_found; errc::bad_input; errc::busy: of several
[[nodiscard]] result<cancel_outcome> cancel_job(const std::string& id,
                                                const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_CANCEL_JOB_HPP
