// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/handover_model.hpp"

#include <utility>

#include <fmt/format.h>

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

/// One world on its way to the next.
class stepper {
 public:
  stepper(const handover_world& from, const handover_rules& rules)
      : from_(from), rules_(rules) {}

  std::vector<handover_event> all() {
    source_events();
    source_faults();
    query_events();
    destination_events();
    destination_faults();
    if (from_.link_up) {
      add(true, "the link breaks").link_up = false;
    }
    return std::move(events_);
  }

 private:
  handover_world& add(bool fault, const char* what) {
    events_.push_back({from_, fault, what});
    return events_.back().after;
  }

  // What the source's driver does.
  template <class Event>
  static void tell_source(handover_world& world, Event event);
  static void do_source(handover_world& world, source_handover::action action);
  static void restart_source(handover_world& world);
  static void end_source_write(handover_world& world, bool durable);
  void source_events();
  void source_faults();

  // What the destination's does.
  template <class Event>
  void tell_destination(handover_world& world, Event event) const;
  void do_destination(handover_world& world,
                      destination_handover::action action) const;
  void end_destination_write(handover_world& world, bool durable) const;
  static void end_destination(handover_world& world);
  void destination_events();
  void destination_faults();
  void guest_events();

  // What its daemon does.
  void query_events();
  void read_journal();
  void read_without_lock();
  static void answer(handover_world& world, destination_fate fate);

  const handover_world& from_;
  const handover_rules& rules_;
  std::vector<handover_event> events_;
};

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

}  // namespace

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
