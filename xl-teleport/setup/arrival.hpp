// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/arrival.hpp: what a destination's journal says of an
// arriving guest, and what is done once the guest runs here: its disks get the
// names from which it is started, its configuration is written, and the disks
// are the book's no longer.
//
// The text is in the journal's entry from `ready` on, and is removed from it
// when all of it was done. So an entry that is `running` and has a text is
// unfinished, and whoever reads it next finishes it.
//
// Threads: any, one at a time for one guest: under its lock. Blocks:
// finish_arrival() on the disks, LVM and fsync.
// Trust: the text is of our own journal, which checks its sum.

#ifndef XL_TELEPORT_SETUP_ARRIVAL_HPP
#define XL_TELEPORT_SETUP_ARRIVAL_HPP

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/migrate/journal.hpp"
#include "xl-teleport/setup/settings.hpp"
#include "xl-teleport/setup/start_files.hpp"

namespace teleport {

struct arrival {
  std::string guest;  ///< its name
  std::string uuid;
  /// In which it was built: a domain of another boot is not this one.
  std::string boot;
  /// As the book of kept disks has them until the guest runs.
  std::vector<kept_disk> disks;
  /// The source's configuration of it; none where it has none.
  std::optional<start_file> start = std::nullopt;
  /// What the configuration here names.
  std::vector<start_disk> start_disks = {};
};

[[nodiscard]] std::string arrival_text(const arrival& plan);
/// @error errc::corrupt
[[nodiscard]] result<arrival> read_arrival(std::string_view text);

/// Renames shadows back under the guest that has them open, writes its
/// configuration, and removes its disks from the book. May be repeated after a
/// crash at any point.
///
/// @error the first; what does not depend on it was done
[[nodiscard]] result<void> finish_arrival(
    const arrival& plan,
    const settings& config,
    const start_files& files = start_files());

/// The guest runs here again: closes what this host's journal has of earlier
/// departures and was not closed yet. A boot would set the disks aside that the
/// guest has now. One with `go` is closed where the guest came from the very
/// host that got it; else that host is still to be asked.
///
/// @param arrived  the entry of its arrival
[[nodiscard]] result<void> close_departures(journal& entries,
                                            const journal_entry& arrived);

/// The same for an entry that says `running`, which loses its text then; closes
/// earlier departures of the guest, too. Does nothing where it has no text.
[[nodiscard]] result<void> finish_arrival(journal& entries,
                                          journal_entry& entry,
                                          const settings& config);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_ARRIVAL_HPP
