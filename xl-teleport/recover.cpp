// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/recover.hpp"

#include <algorithm>
#include <charconv>
#include <iostream>
#include <optional>
#include <utility>

#include "libteleport/migrate/handover.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/net/loop.hpp"
#include "xl-teleport/setup/guest_lock.hpp"
#include "xl-teleport/source/departure.hpp"
#include "xl-teleport/source/fate_query.hpp"
#include "xl-teleport/source/source_host.hpp"

namespace teleport {

namespace {

/// The destination, as source_session wrote it to the journal: "[HOST]:PORT".
std::optional<fate_query::target> peer_of(const journal_entry& entry,
                                          const settings& config) {
  const auto end = entry.peer.rfind("]:");
  if (!entry.peer.starts_with('[') || end == std::string::npos) {
    return std::nullopt;
  }
  fate_query::target whom{config.keys,
                          entry.peer.substr(1, end - 1),
                          0,
                          entry.peer_key,
                          {entry.id, entry.uuid}};
  const char* digits = entry.peer.data() + end + 2;
  const char* last = entry.peer.data() + entry.peer.size();
  const auto [stop, failure] = std::from_chars(digits, last, whom.port);
  return failure == std::errc() && stop == last ? std::optional(whom)
                                                : std::nullopt;
}

exit_code complain(const std::string& sentence, exit_code code) {
  std::cerr << "xl teleport: " << sentence << '\n';
  return code;
}

/// The entry of the guest whose teleport has sent GO and had no answer, or has
/// one and was ended before all of it was cleared away.
result<journal_entry> find_unfinished(const journal& entries,
                                      const std::string& guest) {
  const auto all = entries.all(journal_role::source);
  if (!all) {
    return all.error();
  }
  for (const journal_state state : {journal_state::go, journal_state::moved}) {
    const auto found =
        std::ranges::find_if(*all, [&](const journal_entry& entry) {
          return entry.state == state &&
                 (entry.guest == guest || entry.uuid == guest);
        });
    if (found != all->end()) {
      return *found;
    }
  }
  return error(errc::not_found,
               "no teleport of '" + guest +
                   "' from here waits for its answer: nothing to recover");
}

std::optional<destination_fate> ask(const fate_query::target& whom,
                                    std::chrono::seconds limit) {
  event_loop loop(1);
  std::optional<destination_fate> answer;
  fate_query query(
      loop, whom, limit, [&](std::optional<destination_fate> fate) {
        answer = fate;
        loop.stop();
      });
  query.ask();
  loop.run();
  return answer;
}

/// The guest runs or is paused here: the domain for which GO was sent is
/// suspended, so this is a later one, or one resumed by hand.
bool is_here_again(const journal_entry& entry) {
  auto xen = toolstack::open();
  const auto state = xen ? (*xen)->state_by_uuid(entry.uuid)
                         : result<guest_state>(xen.error());
  return state &&
         (*state == guest_state::running || *state == guest_state::paused);
}

exit_code resume_guest_here(journal& entries, journal_entry entry) {
  const auto plan = read_departure(entry.disks);
  const auto resumed = plan ? resume_here(*plan) : result<void>(plan.error());
  if (!resumed) {
    return complain(entry.guest +
                        " never ran there, and could not be resumed "
                        "here: " +
                        resumed.error().context,
                    exit_code::uncertain);
  }
  entry.state = journal_state::home;
  (void)entries.write(entry);
  std::cout << entry.guest << " never ran there; it goes on here.\n";
  return exit_code::stayed;
}

exit_code clear_away_moved_guest(journal& entries,
                                 journal_entry entry,
                                 const settings& config) {
  entry.state = journal_state::moved;
  (void)entries.write(entry);
  const auto plan = read_departure(entry.disks);
  if (!plan) {
    return complain(plan.error().context, exit_code::not_cleared);
  }
  const auto cleared = clear_away(*plan, config);
  if (!cleared) {
    return complain(cleared.error().context, exit_code::not_cleared);
  }
  entry.state = journal_state::cleared;
  (void)entries.write(entry);
  std::cout << entry.guest << " runs there; its copy here is cleared away.\n";
  return exit_code::moved;
}

}  // namespace

exit_code recover(const move_options& options, const settings& config) {
  auto entries = journal::open(config.journal_path());
  if (!entries) {
    return complain(entries.error().context, exit_code::stayed);
  }
  const auto entry = find_unfinished(*entries, options.guest);
  if (!entry) {
    return complain(entry.error().context, exit_code::refused);
  }
  const auto lock = lock_guest(config.run_path, entry->uuid);
  if (!lock) {
    return complain(lock.error().context, exit_code::refused);
  }
  if (is_here_again(*entry)) {
    // The guest came back since, or was resumed by hand: only the journal does
    // not say so yet.
    auto closed = *entry;
    closed.state = journal_state::home;
    (void)entries->write(closed);
    std::cout << entry->guest << " runs here: there is nothing to recover.\n";
    return exit_code::stayed;
  }
  if (entry->state == journal_state::moved) {
    return clear_away_moved_guest(*entries, *entry, config);
  }
  const auto whom = peer_of(*entry, config);
  if (!whom) {
    return complain("the journal does not say who was asked",
                    exit_code::uncertain);
  }
  source_handover handover;
  (void)handover.recover();
  const auto fate = ask(*whom, options.ask_limit);
  switch (fate ? handover.on_fate(*fate) : handover.on_no_answer()) {
    case source_handover::action::finish:
      return clear_away_moved_guest(*entries, *entry, config);
    case source_handover::action::stay:
      return resume_guest_here(*entries, *entry);
    default:
      return complain(
          "it is still not known whether " + entry->guest + " runs on " +
              whom->host +
              ": look there with 'xl list'. If it runs, or its disks have "
              "changed, destroy the suspended one here; if it never ran, "
              "'xl unpause' is not enough: use 'xl teleport --recover' while "
              "teleportd answers there",
          exit_code::uncertain);
  }
}

}  // namespace teleport
