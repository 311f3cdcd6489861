// SPDX-License-Identifier: LGPL-2.1-or-later

#include <utility>

#include "test/support/handover_stepper.hpp"

namespace teleport {

namespace {

using source_state = source_handover::state;

void send(handover_world& world, record_type type) {
  if (world.link_up) {
    world.to_destination.push_back({type});
  }
}

void close_link(handover_world& world) {
  world.link_up = false;
  world.source_knows = true;
  world.to_source.clear();
}

}  // namespace

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
      send(world, record_type::go);
      return;
    case todo::finish:
      world.source_runs = false;
      world.source_writes.push_back(journal_state::moved);
      return;
    case todo::stay:
      world.source_runs = true;
      world.source_writes.push_back(journal_state::home);
      send(world, record_type::fail);
      close_link(world);
      return;
    case todo::ask_destination:
      close_link(world);
      world.wants_to_ask = !world.asker_waits;
      return;
  }
}

void stepper::restart_source(handover_world& world) {
  world.source_alive = true;
  world.gave_up = false;
  world.source = source_handover();
  if (world.source_journal == journal_state::go) {
    tell_source(world, [](auto& machine) { return machine.recover(); });
  } else if (world.source_journal == journal_state::moved) {
    (void)world.source.recover();
    (void)world.source.on_result(true);
    world.source_runs = false;
  } else {
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

/// The set-up's order, then the handover's.
void stepper::source_record(handover_world& world, const link_record& record) {
  const auto next = [&](source_stage from, source_stage to) {
    if (world.stage != from) {
      tell_source(world, [](auto& machine) { return machine.on_failure(); });
      return false;
    }
    world.stage = to;
    return true;
  };
  switch (record.type) {
    case record_type::hello:
      next(source_stage::greeting, source_stage::offered);
      return;
    case record_type::answer:
      if (next(source_stage::offered, source_stage::preparing)) {
        send(world, record_type::prepare);
      }
      return;
    case record_type::prepared:
      if (next(source_stage::preparing, source_stage::memory)) {
        send(world, record_type::guest_config);
      }
      return;
    case record_type::disks_durable:
      next(source_stage::stopped, source_stage::durable);
      return;
    case record_type::guest_received:
      if (next(source_stage::durable, source_stage::durable)) {
        tell_source(world,
                    [](auto& machine) { return machine.on_guest_received(); });
      }
      return;
    case record_type::go_result:
      tell_source(
          world, [&](auto& machine) { return machine.on_result(record.runs); });
      return;
    default:
      tell_source(world, [](auto& machine) { return machine.on_failure(); });
      return;
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
    source_record(world, record);
  }
  if (!from_.link_up && !from_.source_knows) {
    auto& world = add(false, "the source sees the link broken");
    close_link(world);
    tell_source(world, [](auto& machine) { return machine.on_failure(); });
  }
  if (from_.stage == source_stage::memory && !from_.source_knows) {
    for (const bool stream_first : {true, false}) {
      auto& world = add(false, "the guest is suspended");
      world.stage = source_stage::stopped;
      send(world,
           stream_first ? record_type::stream_piece
                        : record_type::disks_complete);
      send(world,
           stream_first ? record_type::disks_complete
                        : record_type::stream_piece);
    }
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
    close_link(world);
    tell_source(world, [](auto& machine) { return machine.on_failure(); });
  }
  if (from_.source.at() == source_state::asked && from_.source_knows) {
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
    world.source = source_handover();
    world.stage = source_stage::greeting;
    world.source_writes.clear();
    close_link(world);
    world.wants_to_ask = false;
    world.asker_waits = false;
  }
}

}  // namespace teleport
