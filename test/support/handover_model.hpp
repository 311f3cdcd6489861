// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/handover_model.hpp: a whole teleport from HELLO on, as one
// value: the real courses of both ends and of whoever answers a QUERY, the
// steps that are under way, both journals, the link, both guests. next_worlds()
// gives everything that can happen next, so that a search sees every order of
// events there is.
//
// The drivers are modelled, as PROTOCOL.md, section 6 has them: a step takes
// its time while other events arrive; records that were under way when the link
// broke arrive late or not at all, and each side hears of the break on its own;
// a process dies between any two steps, and its guest lives on, as Xen has it;
// a journal write fails, having left the old or the new entry; the
// destination's journal is lost while a source asks. Disks are not:
// every extent is proven whenever that is asked.

#ifndef TEST_SUPPORT_HANDOVER_MODEL_HPP
#define TEST_SUPPORT_HANDOVER_MODEL_HPP

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/migrate/handover.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/session/destination_course.hpp"
#include "libteleport/session/fate_course.hpp"
#include "libteleport/session/source_course.hpp"

namespace teleport {

/// A record of the first connection, the only one that can carry GO.
struct link_record {
  record_type type{};
  bool runs = false;  ///< GO_RESULT's
  friend auto operator<=>(const link_record&, const link_record&) = default;
};

/// The guest as Xen has it at the destination.
enum class built_guest : std::uint8_t {
  none,       ///< not built yet
  paused,     ///< built; xl waits for permission
  unpausing,  ///< xl has the permission
  runs,
  ended,  ///< ran, and was stopped by its user
  gone,   ///< destroyed; it never ran
};

/// What the source's user is told in the end.
enum class source_outcome : std::uint8_t {
  open,
  moved,
  home,
  uncertain,
};

/// How far a QUERY is.
enum class query_step : std::uint8_t {
  none,
  sent,      ///< on its way to the daemon
  received,  ///< fate_course has it
  answered,  ///< the answer is on its way
};

struct handover_world {
  // Source.
  bool source_alive = true;
  source_course source{downtime_budget()};
  /// Of a later life of the source, which begins with what the journal has.
  std::optional<source_handover> recovered;
  std::vector<source_action> source_steps;  ///< under way
  bool stream_sent = false;
  std::optional<journal_state> source_journal;
  source_outcome outcome = source_outcome::open;
  bool source_runs = true;  ///< may run: running, or resumed at will
  bool gave_up = false;     ///< stopped asking: a person will start it again

  // The first connection.
  bool link_up = true;
  bool source_knows = false;  ///< has been told that the link is down
  bool destination_knows = false;
  std::vector<link_record> to_source;
  std::vector<link_record> to_destination{{record_type::hello},
                                          {record_type::offer}};

  // Destination.
  bool destination_alive = true;
  destination_course destination;
  std::vector<destination_course::action> steps;  ///< under way
  std::optional<journal_state> destination_journal;
  built_guest guest = built_guest::none;
  bool end_given = false;  ///< xl has the stream's END
  /// It died, or could not write, with GO in the journal and no outcome.
  bool outcome_lost = false;

  // A QUERY on a connection of its own, one at a time.
  bool wants_to_ask = false;
  query_step query = query_step::none;
  bool asker_waits = false;  ///< the source still waits for this answer
  fate_course daemon;

  friend auto operator<=>(const handover_world&,
                          const handover_world&) = default;
};

/// Rules that the drivers may break, to see that the search notices.
struct handover_rules {
  /// The daemon goes on only once it holds the process's lock.
  bool locks_first = true;
  /// `abandoned` is journalled when a guest was destroyed after GO.
  bool journals_destroyed = true;
  /// A daemon without an entry does not take the guest for abandoned.
  bool asks_without_entry = true;
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

#endif  // TEST_SUPPORT_HANDOVER_MODEL_HPP
