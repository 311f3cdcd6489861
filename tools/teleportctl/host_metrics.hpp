// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/host_metrics.hpp: what `teleportctl metrics` tells of a
// host: what runs, what has run, what waits for a person, what is kept, and how
// fresh the index is.
//
// Threads: any. Pure.

#ifndef TOOLS_TELEPORTCTL_HOST_METRICS_HPP
#define TOOLS_TELEPORTCTL_HOST_METRICS_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/job.hpp"

namespace teleport {

/// A job of the history, and what became of it: its outcome, or "cut_short".
struct ended_job {
  job one;
  std::string outcome;
};

struct journal_numbers {
  std::size_t unsettled = 0;
  std::size_t damaged = 0;
};

struct kept_numbers {
  std::size_t disks = 0;
  std::uint64_t bytes = 0;  ///< of those whose size can be told
};

/// Each part by itself: one that cannot be read hides no other.
struct host_numbers {
  result<std::vector<job>> running = std::vector<job>();
  /// The newest first.
  result<std::vector<ended_job>> ended = std::vector<ended_job>();
  result<journal_numbers> journal = journal_numbers();
  result<kept_numbers> kept = kept_numbers();
  /// As `teleportctl index stat --json` has it; null where there is no index.
  result<nlohmann::json> index = nlohmann::json();
};

/// @return Prometheus' text format
[[nodiscard]] std::string metrics_of(const host_numbers& now);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_HOST_METRICS_HPP
