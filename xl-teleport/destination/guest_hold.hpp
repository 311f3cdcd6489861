// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/guest_hold.hpp: what a destination holds for the
// guest of one session, from PREPARE on: the locks, the journal's entry and the
// targets of its disks.
//
// Threads: one call at a time, from any thread.
// Blocks:  on disks, LVM and fsync; write_journal() for one small file.

#ifndef XL_TELEPORT_DESTINATION_GUEST_HOLD_HPP
#define XL_TELEPORT_DESTINATION_GUEST_HOLD_HPP

#include <memory>
#include <optional>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_store.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/session/setup_records.hpp"
#include "xl-teleport/destination/known_peer.hpp"
#include "xl-teleport/destination/placement.hpp"
#include "xl-teleport/setup/arrival.hpp"
#include "xl-teleport/setup/guest_claims.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

class guest_hold {
 public:
  /// For a teleport: locks, journals `building`, makes the targets. What was
  /// taken before a failure stays held.
  ///
  [[nodiscard]] result<void> prepare(const offer& offered,
                                     const known_peer& peer,
                                     const settings& options);
  /// For a seed, which the journal knows nothing of.
  [[nodiscard]] result<void> prepare(const guest_info& guest,
                                     const known_peer& peer,
                                     const settings& options);

  /// Does nothing where no entry was begun.
  [[nodiscard]] result<void> write_journal(journal_state state);

  /// nullptr before prepare() was done.
  [[nodiscard]] placement* disks() const noexcept { return placement_.get(); }
  /// The guest runs on its disks: they get the names from which it is started
  /// again, and are the book's no longer.
  [[nodiscard]] result<void> finish_arrival();
  /// Does nothing where no targets were made.
  [[nodiscard]] result<void> put_disks_back();
  /// Closes the targets, which are others' now.
  void forget_disks() noexcept { placement_.reset(); }

 private:
  [[nodiscard]] result<void> lock(const guest_info& guest,
                                  const settings& options);
  [[nodiscard]] result<void> place(const guest_info& guest,
                                   const known_peer& peer,
                                   const settings& options);
  /// Whether the store, and what its host may have brought there, has room.
  ///
  /// @error errc::no_space
  [[nodiscard]] result<void> check_room(const guest_info& guest,
                                        const settings& options,
                                        const kept_review& review,
                                        const known_peer& peer);
  /// Nothing is left to be done for the journal's entry.
  [[nodiscard]] result<void> note_all_done();

  unique_fd session_lock_;
  std::optional<guest_claims> claims_;
  std::optional<disk_book> book_;
  std::unique_ptr<disk_store> store_;
  std::optional<journal> journal_;
  journal_entry entry_;
  arrival arrival_;
  std::optional<settings> settings_;
  std::unique_ptr<placement> placement_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_GUEST_HOLD_HPP
