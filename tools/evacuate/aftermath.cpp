// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/aftermath.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include <sys/stat.h>

#include "libteleport/base/log.hpp"
#include "libteleport/migrate/journal.hpp"
#include "xl-teleport/setup/guest_lock.hpp"

namespace teleport::evacuation {

namespace {

/// There is no event for "that process has let go of its lock" that does not
/// take the lock for a moment, and so turn away the one it is meant for.
constexpr std::chrono::milliseconds lock_poll{200};

/// The guest has left by a teleport that ended after `one` was begun: the
/// journal keeps its entries, also those of the nights before.
result<bool> has_left(const trip& one, const settings& config) {
  const auto book = journal::open(config.journal_path());
  const auto entries = book ? book->all(journal_role::source)
                            : result<std::vector<journal_entry>>(book.error());
  if (!entries) {
    return entries.error();
  }
  return std::ranges::any_of(*entries, [&](const journal_entry& entry) {
    struct stat written {};
    return entry.uuid == one.uuid && has_moved(entry.state) &&
           ::stat(book->path_of(entry.id, entry.role).c_str(), &written) == 0 &&
           time_text(written.st_mtim.tv_sec) >= one.begun;
  });
}

result<void> note_outcomes(past_run& past,
                           record& kept,
                           const machine& here,
                           const settings& config) {
  for (const trip& one : past.under_way) {
    while (is_guest_locked(config.run_path, one.uuid)) {
      std::this_thread::sleep_for(lock_poll);
    }
  }
  if (past.back) {
    return {};  // a guest that came home is here: the next plan finds it
  }
  const auto guests = here.guests();
  if (!guests) {
    return guests.error();
  }
  for (const trip& one : past.under_way) {
    const bool is_here = std::ranges::any_of(
        *guests,
        [&](const guest_seen& guest) { return guest.uuid == one.uuid; });
    const auto left = is_here ? result<bool>(false) : has_left(one, config);
    if (!left) {
      return left.error();
    }
    if (!*left) {
      continue;
    }
    const auto noted = kept.note_away(one);
    const auto written = noted ? kept.write({{"event", "moved"},
                                             {"guest", one.guest},
                                             {"uuid", one.uuid},
                                             {"to", one.host},
                                             {"time", time_text()}})
                               : noted;
    if (!written) {
      return written;
    }
    past.moved.push_back(one);
  }
  past.under_way.clear();
  return {};
}

}  // namespace

open_departure departure_of(const settings& config, const std::string& uuid) {
  const auto book = journal::open(config.journal_path());
  const auto entries = book ? book->all(journal_role::source)
                            : result<std::vector<journal_entry>>(book.error());
  if (!entries) {
    log_error(entries.error().context);
    return open_departure::waits_for_answer;  // what is not known may be so
  }
  const auto has = [&](journal_state state) {
    return std::ranges::any_of(*entries, [&](const journal_entry& entry) {
      return entry.uuid == uuid && entry.state == state;
    });
  };
  return has(journal_state::go)      ? open_departure::waits_for_answer
         : has(journal_state::moved) ? open_departure::has_left
                                     : open_departure::none;
}

result<past_run> take_up(record& kept,
                         bool back,
                         const machine& here,
                         const settings& config) {
  auto past = kept.last();
  if (!past) {
    return past;
  }
  const bool cut_short = past->any && !past->over;
  const bool goes_on = cut_short && past->back == back;
  // The old record is closed only when its last teleports are accounted for.
  auto done = cut_short ? kept.begin(/*new_run=*/false) : result<void>();
  if (done && cut_short) {
    done = note_outcomes(*past, kept, here, config);
  }
  if (done && !goes_on) {
    done = kept.begin(/*new_run=*/true);
  }
  if (!done) {
    return done.error();
  }
  return goes_on ? *past : past_run();
}

}  // namespace teleport::evacuation
