// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/handover_model.hpp"

#include <utility>

#include <fmt/format.h>

#include "test/support/handover_stepper.hpp"

namespace teleport {

namespace {

using source_state = source_handover::state;
using destination_state = destination_handover::state;

destination_handover destination_in(destination_state wanted) {
  destination_handover made;
  if (wanted == destination_state::over) {
    (void)made.on_failure();
    return made;
  }
  if (made.at() != wanted) {
    (void)made.on_built();
  }
  if (made.at() != wanted) {
    (void)made.on_go();
  }
  if (made.at() != wanted) {
    (void)made.on_journalled(true);
  }
  if (made.at() != wanted) {
    (void)made.on_started(true);
  }
  return made;
}

}  // namespace

// ---- destination ----

template <class Event>
void stepper::tell_destination(handover_world& world, Event event) const {
  destination_handover machine = destination_in(world.destination);
  const auto action = event(machine);
  world.destination = machine.at();
  do_destination(world, action);
}

void stepper::do_destination(handover_world& world,
                             destination_handover::action action) const {
  using todo = destination_handover::action;
  switch (action) {
    case todo::none:
    case todo::leave:
      return;
    case todo::journal_ready:
      world.destination_writes.push_back(journal_state::ready);
      return;
    case todo::journal_go:
      world.destination_writes.push_back(journal_state::go);
      return;
    case todo::start_guest:
      world.guest = built_guest::unpausing;
      return;
    case todo::journal_running:
      world.destination_writes.push_back(journal_state::running);
      return;
    case todo::journal_abandoned:
      world.destination_writes.push_back(journal_state::abandoned);
      return;
    case todo::destroy:
      world.destroying = true;
      world.link_up = false;
      world.destination_knows = true;
      world.to_destination.clear();
      return;
    case todo::refuse:
      tell_destination(world,
                       [](auto& machine) { return machine.on_failure(); });
      return;
  }
}

/// The process ends, in order or not.
void stepper::end_destination(handover_world& world) {
  world.destination_alive = false;
  world.destination = destination_state::over;
  world.destination_writes.clear();
  world.destroying = false;
  world.link_up = false;
  world.destination_knows = true;
  world.to_destination.clear();
  world.outcome_lost = world.destination_journal == journal_state::go;
}

void stepper::end_destination_write(handover_world& world, bool durable) const {
  const journal_state written = world.destination_writes.front();
  world.destination_writes.erase(world.destination_writes.begin());
  const auto send = [&](link_record record) {
    if (world.link_up) {
      world.to_source.push_back(record);
    }
  };
  switch (written) {
    case journal_state::ready:
      if (durable) {
        send(link_record::guest_received);
      } else {
        tell_destination(world,
                         [](auto& machine) { return machine.on_failure(); });
      }
      return;
    case journal_state::go:
      tell_destination(
          world, [&](auto& machine) { return machine.on_journalled(durable); });
      return;
    case journal_state::running:
      // A fact and no promise: told even when it could not be journalled.
      send(link_record::runs);
      end_destination(world);
      return;
    default:
      if (durable) {
        send(link_record::runs_not);
      }
      end_destination(world);
      return;
  }
}

void stepper::destination_events() {
  guest_events();
  if (!from_.destination_alive) {
    return;
  }
  if (from_.destination == destination_state::building) {
    auto& world = add(false, "the guest is built");
    world.guest = built_guest::paused;
    tell_destination(world, [](auto& machine) { return machine.on_built(); });
  }
  if (!from_.destination_writes.empty()) {
    auto& world = add(false, "the destination's journal is written");
    world.destination_journal = world.destination_writes.front();
    end_destination_write(world, true);
  }
  if (!from_.to_destination.empty() && !from_.destination_knows) {
    auto& world = add(false, "GO arrives");
    world.to_destination.erase(world.to_destination.begin());
    tell_destination(world, [](auto& machine) { return machine.on_go(); });
  }
  if (!from_.link_up && !from_.destination_knows) {
    auto& world = add(false, "the destination sees the link broken");
    world.destination_knows = true;
    world.to_destination.clear();
    tell_destination(world, [](auto& machine) { return machine.on_failure(); });
  }
  if (from_.destroying) {
    auto& world = add(false, "what was built is destroyed");
    world.destroying = false;
    world.guest = built_guest::gone;
    if (rules_.journals_destroyed) {
      world.destination_writes.push_back(journal_state::abandoned);
    } else if (world.destination_writes.empty()) {
      end_destination(world);
    }
  }
}

void stepper::guest_events() {
  if (from_.guest == built_guest::unpausing) {
    for (const bool runs : {true, false}) {
      auto& world = add(false, runs ? "it runs" : "xl could not unpause it");
      world.guest = runs ? built_guest::runs : built_guest::gone;
      if (world.destination_alive) {
        tell_destination(
            world, [&](auto& machine) { return machine.on_started(runs); });
      }
    }
  }
  if (from_.guest == built_guest::runs) {
    add(true, "the guest's user stops it").guest = built_guest::ended;
  }
  if (from_.guest == built_guest::paused && !from_.destination_alive) {
    // xl reads the end of file where the permission should come.
    add(false, "xl destroys what nobody wants").guest = built_guest::gone;
  }
}

void stepper::destination_faults() {
  if (!from_.destination_alive) {
    return;
  }
  if (!from_.destination_writes.empty()) {
    end_destination_write(add(true, "the destination's journal is not written"),
                          false);
    auto& world = add(true, "the destination's journal fails late");
    world.destination_journal = world.destination_writes.front();
    end_destination_write(world, false);
  }
  if (from_.destination == destination_state::building ||
      from_.destination == destination_state::ready ||
      from_.destination == destination_state::committing) {
    auto& world = add(true, "xl fails");
    tell_destination(world, [](auto& machine) { return machine.on_failure(); });
  }
  for (std::size_t written = 0; written <= from_.destination_writes.size();
       ++written) {
    auto& world = add(true, "the destination dies");
    if (written != 0) {
      world.destination_journal = world.destination_writes[written - 1];
    }
    end_destination(world);
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
      "source {}{} journal {} may run {}; link {}; destination {}{} journal {} "
      "guest {} lost {}; query {} waits {}",
      world.source_alive ? "" : "dead ",
      static_cast<int>(world.source),
      name_of(world.source_journal),
      world.source_runs,
      world.link_up,
      world.destination_alive ? "" : "dead ",
      static_cast<int>(world.destination),
      name_of(world.destination_journal),
      static_cast<int>(world.guest),
      world.outcome_lost,
      static_cast<int>(world.query),
      world.asker_waits);
}

}  // namespace teleport
