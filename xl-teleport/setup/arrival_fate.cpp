// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/arrival_fate.hpp"

#include <utility>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/session/fate_course.hpp"
#include "libteleport/xen/toolstack.hpp"

namespace teleport {

namespace {

fate_course::seen_guest look_for(const std::string& uuid) {
  using seen = fate_course::seen_guest;
  if (uuid.empty()) {
    return seen::absent;  // a QUERY of release 0.1.0: nobody knows whom to seek
  }
  auto xen = toolstack::open();
  const auto state =
      xen ? (*xen)->state_by_uuid(uuid) : result<guest_state>(xen.error());
  if (!state) {
    log_error(state.error().context);
    return seen::unknown;
  }
  switch (*state) {
    case guest_state::running:
    case guest_state::suspended:  // what xl has built is paused until it runs
      return seen::running;
    case guest_state::paused:
      return seen::paused;
    case guest_state::shut_down:
    case guest_state::dying:
      return seen::unknown;
    case guest_state::absent:
      return seen::absent;
  }
  return seen::unknown;
}

bool write(journal& entries, journal_entry& entry, journal_state state) {
  entry.state = state;
  const auto written = entries.write(entry);
  if (!written) {
    log_error(written.error().context);
  }
  return written.has_value();
}

}  // namespace

destination_fate fate_of(const teleport_query& query, const settings& options) {
  auto entries = journal::open(options.journal_path());
  if (!entries) {
    log_error(entries.error().context);
    return destination_fate::in_progress;  // ask again: nothing is known
  }
  fate_course course;
  bool is_known = true;
  using step = fate_course::step;
  unique_fd held;
  journal_entry entry;
  entry.id = query.id;
  entry.role = journal_role::destination;
  entry.uuid = query.uuid;
  while (course.next() != step::answer) {
    switch (course.next()) {
      case step::lock: {
        auto lock = take_lock(options.run_path, query.id);
        course.on_lock(lock.has_value());
        if (lock) {
          held = std::move(*lock);
        }
        break;
      }
      case step::read_journal: {
        auto known = entries->read(query.id, journal_role::destination);
        if (!known) {
          log_error(known.error().context);
          course.on_journal_unreadable();
        } else if (*known) {
          entry = **known;
          course.on_journal(entry.state);
        } else {
          log_warning("teleport " + query.id +
                      " is not in the journal, which was lost");
          is_known = false;
          course.on_journal(std::nullopt);
        }
        break;
      }
      case step::look_at_xen:
        course.on_xen(look_for(entry.uuid));
        break;
      case step::journal_running:
        course.on_journalled(write(*entries, entry, journal_state::running));
        break;
      case step::journal_abandoned:
        course.on_journalled(write(*entries, entry, journal_state::abandoned));
        break;
      case step::answer:
        break;
    }
  }
  if (!is_known) {
    // A peer may ask for any number: nothing is left of one.
    remove_lock(options.run_path, query.id, std::move(held));
  }
  return course.fate() == destination_fate::paused && query.uuid.empty()
             ? destination_fate::in_progress  // release 0.1.0 knows no `paused`
             : course.fate();
}

}  // namespace teleport
