// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/guest_hold.hpp"

#include <utility>

#include "libteleport/base/boot_id.hpp"
#include "libteleport/base/lock_file.hpp"
#include "xl-teleport/destination/start_disks.hpp"
#include "xl-teleport/setup/guest_lock.hpp"

namespace teleport {

result<void> guest_hold::prepare(const offer& offered,
                                 const std::string& peer,
                                 const settings& options) {
  // Whoever answers a QUERY locks this first, then reads the journal: as long
  // as this process lives it is told nothing but `in_progress`.
  auto session = take_lock(options.run_path, offered.id);
  if (!session) {
    return in_context("another teleport of this guest is under way",
                      session.error());
  }
  session_lock_ = std::move(*session);
  const auto locked = lock(offered.guest, options);
  if (!locked) {
    return locked;
  }
  auto entries = journal::open(options.journal_path());
  if (!entries) {
    return entries.error();
  }
  const auto known = entries->read(offered.id, journal_role::destination);
  if (!known || *known) {
    return error(errc::refused, "a teleport of this number was here before");
  }
  journal_ = std::move(*entries);
  entry_.id = offered.id;
  entry_.role = journal_role::destination;
  entry_.guest = offered.guest.name;
  entry_.uuid = offered.guest.uuid;
  entry_.peer = peer;
  arrival_.guest = offered.guest.name;
  arrival_.uuid = offered.guest.uuid;
  arrival_.boot = this_boot();
  arrival_.start = offered.start;
  const auto written = write_journal(journal_state::building);
  return written ? place(offered.guest, options) : written;
}

result<void> guest_hold::prepare(const guest_info& guest,
                                 const settings& options) {
  const auto locked = lock(guest, options);
  return locked ? place(guest, options) : locked;
}

result<void> guest_hold::lock(const guest_info& guest,
                              const settings& options) {
  auto locks = lock_guest_and_name(options.run_path, guest);
  if (!locks) {
    return locks.error();
  }
  guest_locks_ = std::move(*locks);
  auto book = disk_book::open(options.kept_disks_path());
  auto store = open_store(options.store);
  if (!book || !store) {
    return !book ? book.error() : store.error();
  }
  book_ = std::move(*book);
  store_ = std::move(*store);
  settings_ = options;
  return {};
}

result<void> guest_hold::place(const guest_info& guest,
                               const settings& options) {
  const auto review = kept_review::look(options);
  if (!review) {
    return review.error();
  }
  auto placed = placement::make(guest, *store_, *book_, *review);
  if (!placed) {
    return placed.error();
  }
  placement_ = std::move(*placed);
  arrival_.disks = placement_->kept();
  arrival_.start_disks = start_disks_of(
      guest, arrival_.disks, options.store.kind == disk_kind::file);
  return {};
}

result<void> guest_hold::write_journal(journal_state state) {
  if (!journal_) {
    return {};
  }
  entry_.state = state;
  entry_.disks = arrival_text(arrival_);
  return journal_->write(entry_);
}

result<void> guest_hold::finish_arrival() {
  placement_->release_to_guest();
  const auto done = teleport::finish_arrival(arrival_, *settings_);
  return done ? note_all_done() : done;
}

result<void> guest_hold::put_disks_back() {
  const auto done = placement_ ? placement_->put_back() : result<void>();
  return done ? note_all_done() : done;
}

result<void> guest_hold::note_all_done() {
  if (!journal_) {
    return {};
  }
  entry_.disks.clear();
  return journal_->write(entry_);
}

}  // namespace teleport
