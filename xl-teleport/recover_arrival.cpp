// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/recover_arrival.cpp: recover()'s half at the destination. What is
// found or decided here the source hears when it asks next.

#include <iostream>
#include <optional>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/xen/destruction.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "xl-teleport/by_hand.hpp"
#include "xl-teleport/recover.hpp"
#include "xl-teleport/setup/arrival.hpp"
#include "xl-teleport/setup/arrival_fate.hpp"
#include "xl-teleport/source/autostart.hpp"

namespace teleport {

namespace {

exit_code complain(const std::string& sentence, exit_code code) {
  std::cerr << "xl teleport: " << sentence << '\n';
  return code;
}

exit_code say(const std::string& sentence, exit_code code) {
  std::cout << sentence << '\n';
  return code;
}

exit_code tell_running(const journal_entry& entry) {
  return say(fmt::format("{} ran or runs here, by the permission of {}, which "
                         "clears its copy away when it asks next.",
                         entry.guest,
                         entry.peer),
             exit_code::moved);
}

exit_code tell_abandoned(const journal_entry& entry) {
  return say(fmt::format("{0} does not run here and never will by this "
                         "teleport: it belongs to {1}, where it goes on when "
                         "that host asks next, or at once by 'xl teleport "
                         "--recover {0}' there.",
                         entry.guest,
                         entry.peer),
             exit_code::stayed);
}

exit_code tell_unknown(const journal_entry& entry, destination_fate fate) {
  if (fate == destination_fate::in_progress) {
    return complain(fmt::format("{} is arriving at this moment, or Xen does "
                                "not say: ask again",
                                entry.guest),
                    exit_code::uncertain);
  }
  const bool paused = fate == destination_fate::paused;
  return complain(
      fmt::format(
          "{0} has the permission of {1} to run here, and {2}. If it shall run "
          "here: {3}'xl teleport --recover {0} --runs-here'. If it never ran "
          "here and shall go on at {1}: 'xl teleport --recover {0} "
          "--runs-there'{4}. Until then neither start nor destroy it by hand",
          entry.guest,
          entry.peer,
          paused ? "stands here paused: nobody may be left to start it"
                 : "is not here: it may have run and ended, or been lost with "
                   "this host's power",
          paused ? "" : "say so, then start it if nothing has: ",
          paused ? ", which destroys the paused one" : ""),
      exit_code::uncertain);
}

/// What is half destroyed here is neither to be started nor gone.
result<void> end_destructions(const journal_entry& entry) {
  auto xen = toolstack::open();
  return xen ? finish_destructions(**xen, entry.uuid)
             : result<void>(xen.error());
}

/// Unpauses, or destroys, what stands here paused of the guest.
result<void> end_pause(const journal_entry& entry, bool runs) {
  auto xen = toolstack::open();
  if (!xen) {
    return xen.error();
  }
  const auto found = (*xen)->find_by_uuid(entry.uuid);
  if (!found) {
    return found.error();
  }
  for (const guest_seen& one : *found) {
    if (one.state != guest_state::paused) {
      continue;
    }
    if (!runs) {
      if (auto done = (*xen)->destroy(one.domid); !done) {
        return done;
      }
      continue;
    }
    auto done = one.name == entry.guest
                    ? result<void>()
                    : (*xen)->rename(one.domid, one.name, entry.guest);
    if (done) {
      done = (*xen)->unpause(one.domid);
    }
    if (!done) {
      return done;
    }
  }
  return {};
}

/// Gives it the names and the configuration from which it is started, and
/// starts it where a boot would have.
result<void> start_if_gone(journal& entries,
                           journal_entry& entry,
                           const settings& config) {
  if (const auto named = finish_arrival(entries, entry, config); !named) {
    return named;
  }
  auto xen = toolstack::open();
  const auto state = xen ? (*xen)->state_by_uuid(entry.uuid)
                         : result<guest_state>(xen.error());
  if (!state) {
    return state.error();
  }
  const auto autostart = autostart_of({entry.guest, entry.uuid});
  return *state == guest_state::absent && autostart ? start_guest(*autostart)
                                                    : result<void>();
}

exit_code decide(journal& entries,
                 journal_entry entry,
                 const move_options& options,
                 const settings& config) {
  const bool runs = options.by_hand == decision::runs_here;
  const std::string warning =
      runs ? fmt::format(
                 "{0} counts as running here from now on, and {1} "
                 "destroys its copy when it asks next. It must run "
                 "here, or be started here, and nowhere else",
                 entry.guest,
                 entry.peer)
           : fmt::format(
                 "{0} will never run here by this teleport, what stands "
                 "here of it paused will be destroyed, and {1} lets it "
                 "go on there when it asks next. It must never have "
                 "run here, and nothing here may start it: see "
                 "/etc/xen/auto",
                 entry.guest,
                 entry.peer);
  if (!is_confirmed(warning,
                    entry.guest + (runs ? " runs here" : " runs there"),
                    options.yes,
                    ::isatty(STDIN_FILENO) == 1,
                    std::cin,
                    std::cerr)) {
    return exit_code::usage;
  }
  const auto lock = take_lock(config.run_path, entry.id);
  if (!lock) {
    return lock.error().code == errc::busy
               ? complain(entry.guest + " is arriving at this moment",
                          exit_code::refused)
               : complain(lock.error().context, exit_code::uncertain);
  }
  // Journalled before a guest is started, and after it was destroyed.
  auto done = runs ? result<void>() : end_pause(entry, false);
  entry.state = runs ? journal_state::running : journal_state::abandoned;
  entry.by_hand = true;
  if (done) {
    done = entries.write(entry);
  }
  if (done && runs) {
    done = end_pause(entry, true);
  }
  if (!done) {
    return complain(done.error().context, exit_code::uncertain);
  }
  if (runs) {
    const auto started = start_if_gone(entries, entry, config);
    if (!started) {
      return complain(started.error().context, exit_code::moved);
    }
  }
  return runs ? tell_running(entry) : tell_abandoned(entry);
}

}  // namespace

exit_code recover_arrival(journal& entries,
                          journal_entry entry,
                          const move_options& options,
                          const settings& config) {
  if (const auto ended = end_destructions(entry); !ended) {
    return complain(ended.error().context, exit_code::uncertain);
  }
  const auto fate = fate_of({entry.id, entry.uuid}, config);
  if (fate == destination_fate::running) {
    return tell_running(entry);
  }
  if (fate == destination_fate::abandoned) {
    return tell_abandoned(entry);
  }
  if (options.by_hand && fate != destination_fate::in_progress) {
    return decide(entries, std::move(entry), options, config);
  }
  return tell_unknown(entry, fate);
}

}  // namespace teleport
