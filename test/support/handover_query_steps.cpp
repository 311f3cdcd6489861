// SPDX-License-Identifier: LGPL-2.1-or-later

#include <utility>

#include <fmt/format.h>

#include "test/support/handover_stepper.hpp"

namespace teleport {

namespace {

fate_course::seen_guest seen(built_guest guest) {
  switch (guest) {
    case built_guest::runs:
      return fate_course::seen_guest::running;
    case built_guest::paused:
    case built_guest::unpausing:
      return fate_course::seen_guest::paused;
    case built_guest::none:
    case built_guest::ended:
    case built_guest::gone:
      break;
  }
  return fate_course::seen_guest::absent;
}

}  // namespace

void stepper::daemon_events() {
  using step = fate_course::step;
  switch (from_.daemon.next()) {
    case step::lock: {
      const bool held = !from_.destination_alive || !rules_.locks_first;
      add(false, "the daemon tries the lock").daemon.on_lock(held);
      return;
    }
    case step::read_journal: {
      auto entry = from_.destination_journal;
      if (entry && !from_.destination_alive) {
        auto& lost = add(true, "the destination's journal is lost");
        lost.destination_journal.reset();
        lost.outcome_lost = true;
      }
      if (!entry && !rules_.asks_without_entry) {
        entry = journal_state::building;
      }
      add(false, "the daemon reads the journal").daemon.on_journal(entry);
      return;
    }
    case step::look_at_xen:
      add(false, "the daemon looks at Xen").daemon.on_xen(seen(from_.guest));
      add(true, "Xen does not answer the daemon")
          .daemon.on_xen(fate_course::seen_guest::unknown);
      return;
    case step::journal_running:
    case step::journal_abandoned: {
      const auto state = from_.daemon.next() == step::journal_running
                             ? journal_state::running
                             : journal_state::abandoned;
      auto& world = add(false, "the daemon's journal is written");
      world.destination_journal = state;
      world.daemon.on_journalled(true);
      add(true, "the daemon cannot journal").daemon.on_journalled(false);
      auto& late = add(true, "the daemon's journal fails late");
      late.destination_journal = state;
      late.daemon.on_journalled(false);
      return;
    }
    case step::answer:
      add(false, "the daemon answers").query = query_step::answered;
      return;
  }
}

void stepper::query_events() {
  switch (from_.query) {
    case query_step::none:
      return;
    case query_step::sent: {
      auto& world = add(false, "the query arrives");
      world.query = query_step::received;
      world.daemon = fate_course();
      break;
    }
    case query_step::received:
      daemon_events();
      break;
    case query_step::answered: {
      auto& world = add(false, "the answer arrives");
      world.query = query_step::none;
      const destination_fate fate = world.daemon.fate();
      world.daemon = fate_course();
      if (std::exchange(world.asker_waits, false)) {
        source_is_told(world, fate);
      }
      break;
    }
  }
  auto& lost = add(true, "the query or its answer is lost");
  lost.query = query_step::none;
  lost.daemon = fate_course();
  if (std::exchange(lost.asker_waits, false)) {
    lost.wants_to_ask = true;
  }
  if (from_.asker_waits) {
    auto& world = add(true, "the source waits no longer for this answer");
    world.asker_waits = false;
    world.wants_to_ask = true;
  }
}

std::vector<handover_event> next_worlds(const handover_world& world,
                                        const handover_rules& rules) {
  return stepper(world, rules).all();
}

bool source_may_run(const handover_world& world) {
  return world.source_runs;
}

bool destination_may_run(const handover_world& world) {
  return world.guest == built_guest::unpausing ||
         world.guest == built_guest::runs;
}

std::string describe(const handover_world& world) {
  return fmt::format(
      "source {}{} outcome {} journal {} may run {}; link {}; destination {}{} "
      "journal {} guest {} lost {}; query {} waits {}",
      world.source_alive ? "" : "dead ",
      name_of(world.source.at()),
      static_cast<int>(world.outcome),
      world.source_journal ? name_of(*world.source_journal) : "none",
      world.source_runs,
      world.link_up,
      world.destination_alive ? "" : "dead ",
      name_of(world.destination.at()),
      world.destination_journal ? name_of(*world.destination_journal) : "none",
      static_cast<int>(world.guest),
      world.outcome_lost,
      static_cast<int>(world.query),
      world.asker_waits);
}

}  // namespace teleport
