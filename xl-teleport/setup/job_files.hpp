// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/job_files.hpp: where jobs are told to other processes: each
// has a file in the folder of locks while it runs, written anew from second to
// second, and one in the history, which outlives a boot.
//
// Both are replaced as a whole. Root alone may read them.
//
// Threads: any; one process writes a job's files.
// Blocks:  on the files; only the history's are made durable.
// Trust:   as job.hpp. A file that outlives its process is told by that.

#ifndef XL_TELEPORT_SETUP_JOB_FILES_HPP
#define XL_TELEPORT_SETUP_JOB_FILES_HPP

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/job.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

[[nodiscard]] std::string running_jobs_path(const settings& config);
[[nodiscard]] std::string history_path(const settings& config);

/// Replaces the file of a job that runs; is not durable.
result<void> write_running(const settings& config, const job& one);
void remove_running(const settings& config, const job& one);

/// Writes the job into the history, durably.
result<void> write_history(const settings& config, const job& one);

/// By a look at its process.
[[nodiscard]] job_state state_now(const job& one);

/// Whether a file of its name is there, of whatever job.
[[nodiscard]] bool is_known(const settings& config, const job& one);

/// Jobs whose processes live, the oldest first.
[[nodiscard]] result<std::vector<job>> running_jobs(const settings& config);
/// All of the history, the newest first, with those that run.
[[nodiscard]] result<std::vector<job>> job_history(const settings& config);
/// Those of both, each once: how far one is, is known of it while it runs.
[[nodiscard]] result<std::vector<job>> known_jobs(const settings& config);

/// What of the history is to go.
struct historic {
  std::int64_t begun = 0;  ///< seconds since 1970
  std::string host;        ///< the other one
  bool runs = false;
  std::uint32_t begun_nanoseconds = 0;  ///< of that second
};

/// Those that are older than `days`; then, while there are more than `entries`,
/// the oldest of the host that has most of them: no host's jobs displace
/// another's. One that runs stays.
///
/// @param now  seconds since 1970
/// @return places in `all`
[[nodiscard]] std::vector<std::size_t> out_of_history(
    const std::vector<historic>& all,
    const history_limits& limits,
    std::int64_t now);

/// Removes what is out of the history, and files of jobs whose processes have
/// ended without a word.
void prune_jobs(const settings& config);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_JOB_FILES_HPP
