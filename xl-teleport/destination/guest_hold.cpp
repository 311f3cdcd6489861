// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/guest_hold.hpp"

#include <utility>

#include <fmt/format.h>

#include "libteleport/base/boot_id.hpp"
#include "libteleport/base/lock_file.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/xen/start_config.hpp"
#include "xl-teleport/destination/start_disks.hpp"
#include "xl-teleport/destination/store_mount.hpp"
#include "xl-teleport/destination/store_promises.hpp"
#include "xl-teleport/destination/store_room.hpp"

namespace teleport {

namespace {

/// The source's file as it may be written here; none where xl could not read
/// it.
std::optional<start_file> start_of(const offer& offered,
                                   const settings& options) {
  if (!offered.start) {
    return std::nullopt;
  }
  auto built =
      build_start_config(offered.start->text, offered.guest, options.arrivals);
  if (!built) {
    log_warning(fmt::format("{}: its configuration is not written here: {}",
                            offered.guest.name,
                            built.error().context));
    return std::nullopt;
  }
  if (!built->left_out.empty()) {
    log_warning(fmt::format("{}: left out of its configuration here: {}",
                            offered.guest.name,
                            fmt::join(built->left_out, ", ")));
  }
  return start_file{std::move(built->text), offered.start->autostart};
}

}  // namespace

result<void> guest_hold::prepare(const offer& offered,
                                 const known_peer& peer,
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
  entry_.peer = peer.name;
  entry_.peer_key = peer.key;
  arrival_.guest = offered.guest.name;
  arrival_.uuid = offered.guest.uuid;
  arrival_.boot = this_boot();
  arrival_.start = start_of(offered, options);
  const auto written = write_journal(journal_state::building);
  return written ? place(offered.guest, peer, options) : written;
}

result<void> guest_hold::prepare(const guest_info& guest,
                                 const known_peer& peer,
                                 const settings& options) {
  const auto locked = lock(guest, options);
  return locked ? place(guest, peer, options) : locked;
}

result<void> guest_hold::lock(const guest_info& guest,
                              const settings& options) {
  auto claims = guest_claims::take(options.run_path, guest);
  if (!claims) {
    return claims.error();
  }
  claims_ = std::move(*claims);
  if (const auto noted = note_store_mount(options); !noted) {
    return noted;
  }
  auto book = disk_book::open(options.kept_disks_path());
  auto store = open_mounted_store(options);
  if (!book || !store) {
    return !book ? book.error() : store.error();
  }
  book_ = std::move(*book);
  store_ = std::move(*store);
  settings_ = options;
  return {};
}

result<void> guest_hold::place(const guest_info& guest,
                               const known_peer& peer,
                               const settings& options) {
  const auto review = kept_review::look(options);
  if (!review) {
    return review.error();
  }
  // Others were answered meanwhile, and may have made their targets.
  const auto making = lock_store(options.run_path);
  const auto room = making ? check_room(guest, options, *review, peer)
                           : result<void>(making.error());
  if (!room) {
    return room;
  }
  auto placed =
      placement::make(guest, {*store_, *book_, *claims_, peer}, *review);
  if (!placed) {
    return placed.error();
  }
  placement_ = std::move(*placed);
  arrival_.disks = placement_->kept();
  arrival_.start_disks = start_disks_of(
      guest, arrival_.disks, entry_of(options.store.kind).is_file);
  return {};
}

result<void> guest_hold::check_room(const guest_info& guest,
                                    const settings& options,
                                    const kept_review& review,
                                    const known_peer& peer) {
  const auto seen = foresee(guest, *book_, *store_, review, peer);
  if (!seen) {
    return seen.error();
  }
  const auto room =
      look_at_room({guest, peer, *seen}, *book_, *store_, options);
  if (!room) {
    return room.error();
  }
  const auto problems = room->problems();
  return problems.empty() ? result<void>()
                          : error(errc::no_space, problems.front().sentence);
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
  return journal_ ? teleport::finish_arrival(*journal_, entry_, *settings_)
                  : teleport::finish_arrival(arrival_, *settings_);
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
