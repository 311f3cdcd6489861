// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/arrival_sight.hpp: a destination's session as
// 'teleportctl jobs' tells of it: what is seen of it at one moment, and the
// words for that.
//
// Threads: plain values and pure functions.
// Trust:   names are the peer's; job.hpp writes them.

#ifndef XL_TELEPORT_DESTINATION_ARRIVAL_SIGHT_HPP
#define XL_TELEPORT_DESTINATION_ARRIVAL_SIGHT_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libteleport/migrate/rebuild_counts.hpp"
#include "libteleport/session/destination_course.hpp"
#include "libteleport/session/seed_destination_course.hpp"
#include "xl-teleport/setup/running_job.hpp"

namespace teleport {

struct arrival_sight {
  destination_state at = destination_state::connected;
  /// Of a seed.
  std::optional<seed_destination_state> seed;
  std::string id;  ///< of the OFFER; empty of a seed
  std::string guest;
  std::string uuid;
  bool has_targets = false;  ///< PREPARED was sent
  rebuild_counts bulk;
  std::uint64_t disk_bytes = 0;
  std::uint64_t received = 0;  ///< on the link
  bool guest_runs = false;
  bool succeeded = false;
  errc failure = errc::system;
  std::string sentence;  ///< of a failure
};

/// It is a job: what was only asked for, or refused, is none, and takes no
/// place in the history.
[[nodiscard]] bool is_job(const arrival_sight& seen) noexcept;

/// @param host  the peer's name
[[nodiscard]] job told_job(const arrival_sight& seen, const std::string& host);

/// @param rate  bytes a second on the link, of late
[[nodiscard]] job_moment told_moment(const arrival_sight& seen, double rate);

[[nodiscard]] job_end told_end(const arrival_sight& seen);

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_ARRIVAL_SIGHT_HPP
