// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <optional>

#include "test/support/handover_stepper.hpp"

namespace teleport {

namespace {

using action = destination_course::action;

/// What an action writes into the journal.
std::optional<journal_state> written_by(action step) {
  switch (step) {
    case action::prepare:
      return journal_state::building;
    case action::journal_ready:
      return journal_state::ready;
    case action::journal_go:
      return journal_state::go;
    case action::journal_running:
      return journal_state::running;
    case action::journal_abandoned:
      return journal_state::abandoned;
    default:
      return std::nullopt;
  }
}

bool is_journal_write(action step) {
  return step != action::prepare && written_by(step).has_value();
}

void send(handover_world& world, record_type type, bool runs = false) {
  if (world.link_up) {
    world.to_source.push_back({type, runs});
  }
}

void close_link(handover_world& world) {
  world.link_up = false;
  world.destination_knows = true;
  world.to_destination.clear();
}

}  // namespace

void stepper::do_destination(handover_world& world,
                             const destination_course::actions& todo) const {
  for (const destination_course::step& next : todo) {
    if (const auto* empty = std::get_if<record_type>(&next)) {
      send(world, *empty);
    } else {
      do_destination(world, std::get<action>(next));
    }
  }
}

void stepper::do_destination(handover_world& world, action next) const {
  switch (next) {
    case action::greet:
      send(world, record_type::hello);
      return;
    case action::send_answer:
      send(world, record_type::answer);
      return;
    case action::send_prepared:
      send(world, record_type::prepared);
      return;
    case action::take_turn:  // no other guest's memory arrives
      do_destination(world, world.destination.on_turn());
      return;
    case action::send_turn:
      send(world, record_type::turn);
      return;
    case action::send_go_result:
      send(world, record_type::go_result, world.destination.guest_runs());
      return;
    case action::send_fail:
      send(world, record_type::fail);
      close_link(world);
      return;
    case action::close_link:
      close_link(world);
      return;
    case action::feed_xl:  // the one STREAM_PIECE there is, the end piece
      do_destination(world, world.destination.on_stream_complete());
      return;
    case action::unpause:
      world.guest = built_guest::unpausing;
      return;
    case action::end:
      end_destination(world);
      return;
    case action::rebuild:
    case action::answer_query:
    case action::receive_seed:
      return;
    default:
      world.steps.push_back(next);
      return;
  }
}

/// The process ends, in order or not.
void stepper::end_destination(handover_world& world) {
  world.destination_alive = false;
  world.destination = destination_course();
  world.steps.clear();
  world.end_given = false;
  close_link(world);
  world.outcome_lost = world.destination_journal == journal_state::go;
}

void stepper::end_journal_write(handover_world& world,
                                std::size_t step,
                                bool durable) const {
  const auto written = written_by(world.steps[step]);
  world.steps.erase(world.steps.begin() + static_cast<std::ptrdiff_t>(step));
  do_destination(world, world.destination.on_journalled(*written, durable));
}

/// A step ends well.
void stepper::end_step(handover_world& world, std::size_t step) const {
  const action ended = world.steps[step];
  if (const auto written = written_by(ended)) {
    world.destination_journal = *written;
  }
  if (is_journal_write(ended)) {
    end_journal_write(world, step, true);
    return;
  }
  world.steps.erase(world.steps.begin() + static_cast<std::ptrdiff_t>(step));
  destination_course& course = world.destination;
  switch (ended) {
    case action::consider:
      do_destination(world, course.on_considered(true));
      return;
    case action::prepare:
      do_destination(world, course.on_prepared());
      return;
    case action::start_xl:
      course.on_xl_started();
      return;
    case action::flush:
      do_destination(world, course.on_flushed());
      return;
    case action::run_gate_hook:
      world.end_given = course.on_gate_hook().has_value();
      return;
    case action::destroy:
      if (world.guest == built_guest::paused) {
        world.guest = built_guest::gone;
      }
      do_destination(world, course.on_destroyed(rules_.journals_destroyed));
      return;
    default:  // the disks are the guest's, or put back
      do_destination(world, course.on_disks_left());
      return;
  }
}

void stepper::destination_events() {
  if (!from_.destination_alive) {
    return;
  }
  const destination_state at = from_.destination.at();
  bool journal_is_busy = false;
  for (std::size_t i = 0; i < from_.steps.size(); ++i) {
    const bool writes = is_journal_write(from_.steps[i]);
    const bool waits = from_.steps[i] == action::destroy &&
                       std::ranges::any_of(from_.steps, [](action step) {
                         return step == action::prepare ||
                                step == action::start_xl ||
                                step == action::flush;
                       });
    if (!waits && !(writes && journal_is_busy)) {
      end_step(add(false, "a step of the destination is done"), i);
    }
    journal_is_busy = journal_is_busy || writes;
  }
  if (at == destination_state::durable && from_.end_given &&
      from_.guest == built_guest::none) {
    auto& world = add(false, "the guest is built");
    world.guest = built_guest::paused;
    do_destination(world, world.destination.on_built());
  }
  if (!from_.to_destination.empty() && !from_.destination_knows &&
      at != destination_state::starting) {
    auto& world = add(false, "a record reaches the destination");
    const link_record record = world.to_destination.front();
    world.to_destination.erase(world.to_destination.begin());
    const auto todo = world.destination.on_record(record.type, true);
    do_destination(world, todo ? *todo : world.destination.on_refused());
  }
  if (!from_.link_up && !from_.destination_knows) {
    auto& world = add(false, "the destination sees the link broken");
    close_link(world);
    do_destination(world, world.destination.on_failure());
  }
}

void stepper::guest_events() {
  if (from_.guest == built_guest::unpausing) {
    for (const bool runs : {true, false}) {
      auto& world = add(false, runs ? "it runs" : "xl could not unpause it");
      world.guest = runs ? built_guest::runs : built_guest::gone;
      if (world.destination_alive) {
        do_destination(world, world.destination.on_started(runs));
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

void stepper::step_faults() {
  for (std::size_t i = 0; i < from_.steps.size(); ++i) {
    const action step = from_.steps[i];
    if (is_journal_write(step)) {
      end_journal_write(
          add(true, "the destination's journal is not written"), i, false);
      auto& world = add(true, "the destination's journal fails late");
      world.destination_journal = written_by(step);
      end_journal_write(world, i, false);
      return;  // one write is under way at a time
    }
    if (step == action::prepare || step == action::start_xl ||
        step == action::flush || step == action::run_gate_hook) {
      auto& world = add(true, "a step of the destination fails");
      world.steps.erase(world.steps.begin() + static_cast<std::ptrdiff_t>(i));
      do_destination(world, world.destination.on_failure());
    }
  }
}

void stepper::destination_faults() {
  if (!from_.destination_alive) {
    return;
  }
  step_faults();
  switch (from_.destination.at()) {
    case destination_state::memory:
    case destination_state::flushing:
    case destination_state::durable:
    case destination_state::ready:
    case destination_state::committed: {
      auto& world = add(true, "xl fails");
      do_destination(world, world.destination.on_xl_failed());
      break;
    }
    default:
      break;
  }
  auto& stopped = add(true, "the destination is told to stop");
  do_destination(stopped, stopped.destination.on_failure());
  end_destination(add(true, "the destination dies"));
  std::optional<journal_state> journal = from_.destination_journal;
  for (const action step : from_.steps) {
    if (const auto written = written_by(step)) {
      journal = written;
      auto& world = add(true, "the destination dies after a write");
      world.destination_journal = journal;
      end_destination(world);
    }
  }
}

}  // namespace teleport
