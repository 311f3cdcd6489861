// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/finished_teleports.hpp: what is left of teleports that are
// over: entries of the journal that promise nothing to anybody, and the files
// of locks that nobody holds.
//
// Threads: any; one process at a time, under lock_leftovers(). Blocks: on
// fsync.

#ifndef XL_TELEPORT_SETUP_FINISHED_TELEPORTS_HPP
#define XL_TELEPORT_SETUP_FINISHED_TELEPORTS_HPP

#include <chrono>
#include <cstddef>

#include "libteleport/base/error.hpp"
#include "libteleport/migrate/journal.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// For how long, and how many of them, entries of teleports that are over are
/// there to be read. By then every host that may ask has had its answer: a
/// source asks for minutes, its teleportd every few minutes.
struct journal_lifetime {
  std::chrono::hours age = std::chrono::hours(24 * 30);
  std::size_t entries = 1000;  ///< of both roles together, the newest
};

/// Nothing is left to be done or answered for it: `home` and `cleared` at the
/// source; at the destination `running` and `abandoned` once its disks are no
/// longer named.
[[nodiscard]] bool is_finished(const journal_entry& entry) noexcept;

/// Removes entries of teleports that are over and out of their lifetime. One
/// that cannot be read may be of a teleport that is not over, and stays.
///
/// @error the first; what does not depend on it was done
result<void> remove_finished(const settings& config,
                             const journal_lifetime& lifetime = {});

/// Removes the files of guests' and teleports' locks that nobody holds.
void remove_free_locks(const settings& config);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_FINISHED_TELEPORTS_HPP
