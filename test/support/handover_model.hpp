// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/handover_model.hpp: a whole teleport from GUEST_RECEIVED on, as
// one value: both machines, what waits to be done, both journals, the link,
// both guests. next_worlds() gives everything that can happen next, so that a
// search sees every order of events there is.
//
// What the drivers do around the machines is modelled as PROTOCOL.md, section
// 6 has it: a journal is written while other events arrive; records that were
// under way when the link broke arrive late or not at all, each side hears of
// the break on its own; a process dies between any two steps, and its guest
// lives on, as Xen has it; a journal write fails, having left the old or the
// new entry.

#ifndef TELEPORT_TEST_SUPPORT_HANDOVER_MODEL_HPP
#define TELEPORT_TEST_SUPPORT_HANDOVER_MODEL_HPP

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "libteleport/migrate/handover.hpp"
#include "libteleport/migrate/journal.hpp"

namespace teleport {

/// Records of the first connection, the only one that can carry GO.
enum class link_record : std::uint8_t { guest_received, go, runs, runs_not };

/// The guest as Xen has it at the destination.
enum class built_guest : std::uint8_t {
  none,       ///< not built yet
  paused,     ///< built; xl waits for permission
  unpausing,  ///< xl has the permission
  runs,
  ended,  ///< ran, and was stopped by its user
  gone,   ///< destroyed; it never ran
};

/// How far the daemon is with a QUERY.
enum class query_step : std::uint8_t {
  none,
  sent,        ///< on its way to the daemon
  received,    ///< the daemon is about to try for the process's lock
  has_lock,    ///< the process is gone; the journal has not been read
  to_kill,     ///< the journal held no GO when it was read (without a lock)
  abandoning,  ///< about to journal `abandoned`
  answered,    ///< the answer is on its way
};

struct handover_world {
  // Source.
  bool source_alive = true;
  source_handover::state source = source_handover::state::moving;
  std::vector<journal_state> source_writes;  ///< under way, first first
  journal_state source_journal = journal_state::moving;
  bool source_runs = true;  ///< may run: running, or resumed at will
  bool gave_up = false;     ///< stopped asking: a person will start it again

  // The first connection.
  bool link_up = true;
  bool source_knows = false;  ///< has been told that the link is down
  bool destination_knows = false;
  std::vector<link_record> to_source;
  std::vector<link_record> to_destination;

  // Destination.
  bool destination_alive = true;
  destination_handover::state destination =
      destination_handover::state::building;
  std::vector<journal_state> destination_writes;
  journal_state destination_journal = journal_state::building;
  built_guest guest = built_guest::none;
  bool destroying = false;  ///< xl has been told, and it is not yet gone
  /// It died, or could not write, with GO in the journal and no outcome.
  bool outcome_lost = false;

  // A QUERY on a connection of its own, one at a time.
  bool wants_to_ask = false;
  query_step query = query_step::none;
  bool asker_waits = false;  ///< the source still waits for this answer
  destination_fate fate = destination_fate::running;

  friend auto operator<=>(const handover_world&,
                          const handover_world&) = default;
};

/// Rules that the drivers may break, to see that the search notices.
struct handover_rules {
  /// The daemon reads the journal once the process is gone, not before.
  bool locks_first = true;
  /// `abandoned` is journalled when a guest was destroyed after GO.
  bool journals_destroyed = true;
};

struct handover_event {
  handover_world after;
  bool fault = false;  ///< cannot happen while everything works
  const char* what = "";
};

[[nodiscard]] std::vector<handover_event> next_worlds(
    const handover_world& world, const handover_rules& rules);

/// The source may run its guest: it runs, or nothing keeps it from resuming.
[[nodiscard]] bool source_may_run(const handover_world& world);
/// The guest runs at the destination or xl has the permission to unpause it.
[[nodiscard]] bool destination_may_run(const handover_world& world);

/// A line for people: what a failed search prints.
[[nodiscard]] std::string describe(const handover_world& world);

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_HANDOVER_MODEL_HPP
