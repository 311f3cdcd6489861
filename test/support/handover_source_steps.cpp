// SPDX-License-Identifier: LGPL-2.1-or-later

#include <utility>

#include <fmt/format.h>

#include "test/support/handover_stepper.hpp"

namespace teleport {

namespace {

using source_state = source_handover::state;
using destination_state = destination_handover::state;

/// The machine in a given state: reached by the calls that lead there.
source_handover source_in(source_state wanted) {
  using machine = source_handover;
  machine made;
  switch (wanted) {
    case source_state::moving:
      break;
    case source_state::committing:
      (void)made.on_guest_received();
      break;
    case source_state::asked:
      (void)made.recover();
      break;
    case source_state::moved:
      (void)made.recover();
      (void)made.on_result(true);
      break;
    case source_state::home:
      (void)made.on_failure();
      break;
    case source_state::uncertain:
      (void)made.recover();
      (void)made.on_no_answer();
      break;
  }
  return made;
}

}  // namespace

// ---- source ----

template <class Event>
void stepper::tell_source(handover_world& world, Event event) {
  source_handover machine = source_in(world.source);
  const auto action = event(machine);
  world.source = machine.at();
  do_source(world, action);
}

void stepper::do_source(handover_world& world, source_handover::action action) {
  using todo = source_handover::action;
  switch (action) {
    case todo::none:
    case todo::report_uncertain:
      return;
    case todo::journal_go:
      world.source_writes.push_back(journal_state::go);
      return;
    case todo::send_go:
      world.source_runs = false;
      if (world.link_up) {
        world.to_destination.push_back(link_record::go);
      }
      return;
    case todo::finish:
      world.source_runs = false;
      world.source_writes.push_back(journal_state::moved);
      return;
    case todo::stay:
      world.source_runs = true;
      world.source_writes.push_back(journal_state::home);
      world.link_up = false;
      world.source_knows = true;
      world.to_source.clear();
      return;
    case todo::ask_destination:
      world.wants_to_ask = !world.asker_waits;
      return;
  }
}

void stepper::restart_source(handover_world& world) {
  world.source_alive = true;
  world.gave_up = false;
  if (world.source_journal == journal_state::go) {
    source_handover machine;
    const auto action = machine.recover();
    world.source = machine.at();
    do_source(world, action);
  } else if (world.source_journal == journal_state::moved) {
    world.source = source_state::moved;
    world.source_runs = false;
  } else {
    world.source = source_state::moving;
    tell_source(world, [](auto& machine) { return machine.on_failure(); });
  }
}

void stepper::end_source_write(handover_world& world, bool durable) {
  const journal_state written = world.source_writes.front();
  world.source_writes.erase(world.source_writes.begin());
  if (written == journal_state::go) {
    tell_source(world,
                [&](auto& machine) { return machine.on_journalled(durable); });
  }
}

void stepper::source_events() {
  if (!from_.source_alive) {
    restart_source(add(false, "the source starts again"));
    return;
  }
  if (from_.gave_up) {
    restart_source(add(false, "a person lets the source ask again"));
  }
  if (!from_.source_writes.empty()) {
    auto& world = add(false, "the source's journal is written");
    world.source_journal = world.source_writes.front();
    end_source_write(world, true);
  }
  if (!from_.to_source.empty() && !from_.source_knows) {
    auto& world = add(false, "a record reaches the source");
    const link_record record = world.to_source.front();
    world.to_source.erase(world.to_source.begin());
    tell_source(world, [&](auto& machine) {
      return record == link_record::guest_received
                 ? machine.on_guest_received()
                 : machine.on_result(record == link_record::runs);
    });
  }
  if (!from_.link_up && !from_.source_knows) {
    auto& world = add(false, "the source sees the link broken");
    world.source_knows = true;
    world.to_source.clear();
    tell_source(world, [](auto& machine) { return machine.on_failure(); });
  }
  if (from_.wants_to_ask && from_.query == query_step::none) {
    auto& world = add(false, "the source asks");
    world.wants_to_ask = false;
    world.asker_waits = true;
    world.query = query_step::sent;
  }
}

void stepper::source_faults() {
  if (!from_.source_alive) {
    return;
  }
  if (!from_.source_writes.empty()) {
    end_source_write(add(true, "the source's journal is not written"), false);
    auto& world = add(true, "the source's journal fails after all is written");
    world.source_journal = world.source_writes.front();
    end_source_write(world, false);
  }
  if (!from_.source_knows) {
    auto& world = add(true, "the user cancels at the source");
    world.link_up = false;
    world.source_knows = true;
    world.to_source.clear();
    tell_source(world, [](auto& machine) { return machine.on_failure(); });
  }
  if (from_.source == source_state::asked && from_.source_knows) {
    auto& world = add(true, "the source stops asking");
    world.gave_up = true;
    world.wants_to_ask = false;
    world.asker_waits = false;
    tell_source(world, [](auto& machine) { return machine.on_no_answer(); });
  }
  for (std::size_t written = 0; written <= from_.source_writes.size();
       ++written) {
    auto& world = add(true, "the source dies");
    if (written != 0) {
      world.source_journal = world.source_writes[written - 1];
    }
    world.source_alive = false;
    world.gave_up = false;
    world.source = source_state::moving;
    world.source_writes.clear();
    world.link_up = false;
    world.source_knows = true;
    world.to_source.clear();
    world.wants_to_ask = false;
    world.asker_waits = false;
  }
}

// ---- the daemon at the destination ----

void stepper::answer(handover_world& world, destination_fate fate) {
  world.query = query_step::answered;
  world.fate = fate;
}

void stepper::query_events() {
  switch (from_.query) {
    case query_step::none:
      return;
    case query_step::sent:
      add(false, "the query arrives").query = query_step::received;
      break;
    case query_step::received:
      if (!rules_.locks_first) {
        read_without_lock();
      } else if (from_.destination_alive) {
        answer(add(false, "it is in progress"), destination_fate::in_progress);
      } else {
        add(false, "the daemon has the lock").query = query_step::has_lock;
      }
      break;
    case query_step::has_lock:
      read_journal();
      break;
    case query_step::to_kill: {
      auto& world = add(false, "the daemon ends the process");
      end_destination(world);
      world.query = query_step::abandoning;
      break;
    }
    case query_step::abandoning: {
      auto& world = add(false, "the daemon journals that it never will");
      world.destination_journal = journal_state::abandoned;
      answer(world, destination_fate::abandoned);
      answer(add(true, "the daemon cannot journal"),
             destination_fate::in_progress);
      break;
    }
    case query_step::answered: {
      auto& world = add(false, "the answer arrives");
      world.query = query_step::none;
      if (std::exchange(world.asker_waits, false)) {
        tell_source(world,
                    [&](auto& machine) { return machine.on_fate(world.fate); });
      }
      break;
    }
  }
  auto& lost = add(true, "the query or its answer is lost");
  lost.query = query_step::none;
  if (std::exchange(lost.asker_waits, false)) {
    tell_source(lost, [](auto& machine) { return machine.on_failure(); });
  }
  if (from_.asker_waits) {
    auto& world = add(true, "the source waits no longer for this answer");
    world.asker_waits = false;
    tell_source(world, [](auto& machine) { return machine.on_failure(); });
  }
}

void stepper::read_journal() {
  switch (from_.destination_journal) {
    case journal_state::running:
      answer(add(false, "it runs there"), destination_fate::running);
      return;
    case journal_state::abandoned:
      answer(add(false, "it never will"), destination_fate::abandoned);
      return;
    case journal_state::go:
      break;
    default:
      add(false, "there was no GO").query = query_step::abandoning;
      return;
  }
  switch (from_.guest) {
    case built_guest::runs: {
      auto& world = add(false, "Xen has it running");
      world.destination_journal = journal_state::running;
      answer(world, destination_fate::running);
      answer(add(true, "Xen has it running; not journalled"),
             destination_fate::running);
      return;
    }
    case built_guest::paused:
    case built_guest::unpausing:
      answer(add(false, "Xen has it paused"), destination_fate::in_progress);
      return;
    case built_guest::none:
    case built_guest::ended:
    case built_guest::gone:
      answer(add(false, "nobody knows"), destination_fate::uncertain);
      return;
  }
}

void stepper::read_without_lock() {
  if (from_.destination_journal == journal_state::building ||
      from_.destination_journal == journal_state::ready) {
    add(false, "there was no GO").query = query_step::to_kill;
  } else if (from_.destination_alive &&
             from_.destination_journal == journal_state::go) {
    answer(add(false, "it is in progress"), destination_fate::in_progress);
  } else {
    read_journal();
  }
}

}  // namespace teleport
