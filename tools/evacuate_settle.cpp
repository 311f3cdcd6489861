// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate_settle.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/migrate/journal.hpp"

namespace teleport::evacuation {

namespace {

/// There is no event for "that process has let go of its lock" that does not
/// take the lock for a moment, and so turn away the one it is meant for.
constexpr std::chrono::milliseconds lock_poll{200};

result<std::vector<journal_entry>> departures(const settings& config) {
  const auto entries = journal::open(config.journal_path());
  return entries ? entries->all(journal_role::source)
                 : result<std::vector<journal_entry>>(entries.error());
}

bool has(const std::vector<journal_entry>& entries,
         const std::string& uuid,
         journal_state state) {
  return std::ranges::any_of(entries, [&](const journal_entry& entry) {
    return entry.uuid == uuid && entry.state == state;
  });
}

result<void> settle(past_run& past,
                    record& kept,
                    const machine& here,
                    const settings& config) {
  for (const trip& one : past.under_way) {
    while (lock_is_held(config.run_path, "guest-" + one.uuid)) {
      std::this_thread::sleep_for(lock_poll);
    }
  }
  if (past.back) {
    return {};  // who is home is here: the next plan sees it
  }
  const auto guests = here.guests();
  const auto entries = departures(config);
  if (!guests || !entries) {
    return guests ? entries.error() : guests.error();
  }
  for (const trip& one : past.under_way) {
    const bool is_here = std::ranges::any_of(
        *guests,
        [&](const guest_seen& guest) { return guest.uuid == one.uuid; });
    if (is_here || !has(*entries, one.uuid, journal_state::moved)) {
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

bool waits_for_answer(const settings& config, const std::string& uuid) {
  const auto entries = departures(config);
  if (!entries) {
    log_error(entries.error().context);
    return true;  // what is not known may be so
  }
  return has(*entries, uuid, journal_state::go);
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
    done = settle(*past, kept, here, config);
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
