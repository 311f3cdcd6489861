// SPDX-License-Identifier: LGPL-2.1-or-later

#include <cstddef>
#include <optional>
#include <utility>

#include "test/support/handover_stepper.hpp"

namespace teleport {

namespace {

using action = source_action;

constexpr source_course::moment no_time{};

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

/// What a step writes into the journal.
std::optional<journal_state> written_by(source_action step) {
  switch (step) {
    case action::attach:
      return journal_state::moving;
    case action::journal_go:
      return journal_state::go;
    case action::finish:
      return journal_state::moved;
    case action::resume_guest:
    case action::leave_guest:
      return journal_state::home;
    default:
      return std::nullopt;
  }
}

void ask(handover_world& world) {
  close_link(world);
  world.wants_to_ask = !world.asker_waits;
}

}  // namespace

/// The course's actions, until it has no more.
void stepper::drive_source(handover_world& world) {
  source_course& course = world.source;
  while (const auto todo = course.next()) {
    if (const auto* empty = std::get_if<record_type>(&*todo)) {
      world.source_runs = world.source_runs && *empty != record_type::go;
      send(world, *empty);
      continue;
    }
    const action next = std::get<action>(*todo);
    switch (next) {
      case action::end_untouched:
        world.outcome = source_outcome::home;
        close_link(world);
        break;
      case action::targets_ready:
      case action::start_round:
        course.on_pass_done(no_time);
        break;
      case action::weigh:
        course.on_weighed(0, no_time);
        break;
      case action::look_at_guest:
        course.on_looked(no_time.time);
        break;
      case action::start_memory:
        send(world, record_type::guest_config);
        break;
      case action::send_last_blocks:
        course.on_blocks_sent(no_time.time);
        course.on_pass_done(no_time);
        break;
      case action::stop:
        // From here on nothing keeps the source from resuming its guest.
        world.source_runs = true;
        send(world, record_type::fail);
        close_link(world);
        std::erase(world.source_steps, action::take_last_marks);
        course.on_disks_at_rest();
        break;
      case action::finish:
        world.source_runs = false;
        world.source_steps.push_back(next);
        break;
      case action::ask:
        ask(world);
        break;
      case action::report_uncertain:
        world.outcome = source_outcome::uncertain;
        break;
      case action::give_up:
        (void)course.on_failure();
        break;
      case action::hold_memory:
      case action::release_memory:
      case action::start_bulk:
      case action::ask_beside:  // no clock runs here
      case action::
          weigh_after_pause:  // the guest is suspended before it is over
        break;
      case action::attach:
      case action::take_last_marks:
      case action::journal_go:
      case action::resume_guest:
      case action::leave_guest:
        world.source_steps.push_back(next);
        break;
    }
  }
}

void stepper::source_failed(handover_world& world) {
  (void)world.source.on_failure();
  drive_source(world);
}

/// What recover() does in a later life of the source.
void stepper::follow_recovered(handover_world& world,
                               source_handover::action todo) {
  switch (todo) {
    case source_handover::action::finish:
      world.source_runs = false;
      world.source_steps.push_back(action::finish);
      return;
    case source_handover::action::stay:
      world.source_runs = true;
      world.source_steps.push_back(action::resume_guest);
      return;
    case source_handover::action::ask_destination:
      ask(world);
      return;
    case source_handover::action::report_uncertain:
      world.outcome = source_outcome::uncertain;
      return;
    case source_handover::action::none:
    case source_handover::action::journal_go:
    case source_handover::action::send_go:
      return;
  }
}

void stepper::restart_source(handover_world& world) {
  world.source_alive = true;
  world.gave_up = false;
  world.outcome = source_outcome::open;
  world.recovered = source_handover();
  if (world.source_journal == journal_state::go) {
    world.source_runs = false;  // GO may have left, whether it did or not
    follow_recovered(world, world.recovered->recover());
  } else if (world.source_journal == journal_state::moved) {
    world.source_runs = false;
    world.outcome = source_outcome::moved;
  } else {
    follow_recovered(world, world.recovered->on_failure());
  }
}

void stepper::source_is_told(handover_world& world, destination_fate fate) {
  if (world.recovered) {
    follow_recovered(world, world.recovered->on_fate(fate));
  } else {
    world.source.on_fate(fate);
    drive_source(world);
  }
}

/// A step is done.
///
/// @param well  false: it failed
void stepper::end_source_step(handover_world& world,
                              std::size_t step,
                              bool well) {
  const action ended = world.source_steps[step];
  world.source_steps.erase(world.source_steps.begin() +
                           static_cast<std::ptrdiff_t>(step));
  switch (ended) {
    case action::attach:
      world.source.on_attached(well);
      if (!well) {
        (void)world.source.on_failure();
      }
      break;
    case action::take_last_marks:
      if (well) {
        world.source.on_last_marks(no_time.time);
      } else {
        (void)world.source.on_failure();
      }
      break;
    case action::journal_go:
      world.source.on_journalled(well, no_time.time);
      break;
    case action::finish:
      world.outcome = source_outcome::moved;
      return;
    default:
      world.outcome = source_outcome::home;
      return;
  }
  drive_source(world);
}

void stepper::source_record(handover_world& world) {
  const link_record record = world.to_source.front();
  world.to_source.erase(world.to_source.begin());
  if (!world.source.listens()) {
    return;
  }
  if (record.type == record_type::answer) {
    world.source.needs_turn();
  }
  const auto taken = world.source.on_record(
      record.type,
      record.type != record_type::go_result || record.runs,
      no_time);
  if (!taken || record.type == record_type::fail) {
    source_failed(world);
  } else {
    drive_source(world);
  }
}

/// libxl's save: the guest is suspended, its stream sent, the thread returns.
void stepper::save_events() {
  const source_course& course = from_.source;
  if (!course.is_saving()) {
    return;
  }
  if (!course.listens()) {
    auto& world = add(false, "the save is given up");
    world.source.on_saved(false, no_time.time);
    drive_source(world);
  } else if (!course.is_suspended()) {
    auto& world = add(false, "the guest is suspended");
    world.source.on_suspended(no_time.time);
    drive_source(world);
  } else if (!from_.stream_sent) {
    auto& world = add(false, "the stream's end is sent");
    world.stream_sent = true;
    send(world, record_type::stream_piece);
    world.source.on_stream_sent(no_time.time);
    drive_source(world);
  } else {
    auto& world = add(false, "libxl's save returns");
    world.source.on_saved(true, no_time.time);
    drive_source(world);
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
  bool journal_is_busy = false;
  for (std::size_t i = 0; i < from_.source_steps.size(); ++i) {
    const auto written = written_by(from_.source_steps[i]);
    if (!written || !std::exchange(journal_is_busy, true)) {
      auto& world = add(false, "a step of the source is done");
      if (written) {
        world.source_journal = written;
      }
      end_source_step(world, i, true);
    }
  }
  save_events();
  if (!from_.to_source.empty() && !from_.source_knows) {
    source_record(add(false, "a record reaches the source"));
  }
  if (!from_.link_up && !from_.source_knows) {
    auto& world = add(false, "the source sees the link broken");
    close_link(world);
    source_failed(world);
  }
  if (from_.wants_to_ask && from_.query == query_step::none) {
    auto& world = add(false, "the source asks");
    world.wants_to_ask = false;
    world.asker_waits = true;
    world.query = query_step::sent;
  }
}

void stepper::source_step_faults() {
  bool journal_is_busy = false;
  for (std::size_t i = 0; i < from_.source_steps.size(); ++i) {
    const auto written = written_by(from_.source_steps[i]);
    if (written && std::exchange(journal_is_busy, true)) {
      continue;  // one write is under way at a time
    }
    end_source_step(add(true, "a step of the source fails"), i, false);
    if (written) {
      auto& world = add(true, "the source's journal fails late");
      world.source_journal = written;
      end_source_step(world, i, false);
    }
  }
}

void stepper::source_faults() {
  if (!from_.source_alive) {
    return;
  }
  source_step_faults();
  if (from_.source.is_saving() && from_.source.listens()) {
    auto& world = add(true, "libxl's save fails");
    world.source.on_saved(false, no_time.time);
    source_failed(world);
  }
  if (!from_.recovered && from_.source.may_cancel()) {
    source_failed(add(true, "the user cancels at the source"));
  }
  const bool asks = from_.wants_to_ask || from_.asker_waits;
  if (asks && from_.source_knows) {
    auto& world = add(true, "the source stops asking");
    world.gave_up = true;
    world.wants_to_ask = false;
    world.asker_waits = false;
    if (world.recovered) {
      follow_recovered(world, world.recovered->on_no_answer());
    } else {
      world.source.on_no_answer();
      drive_source(world);
    }
  }
  source_dies(add(true, "the source dies"));
  for (const action step : from_.source_steps) {
    if (const auto written = written_by(step)) {
      auto& world = add(true, "the source dies after a write");
      world.source_journal = *written;
      source_dies(world);
    }
  }
}

void stepper::source_dies(handover_world& world) {
  world.source_alive = false;
  world.gave_up = false;
  world.outcome = source_outcome::open;
  world.source = source_course(downtime_budget());
  world.recovered.reset();
  world.stream_sent = false;
  world.source_steps.clear();
  close_link(world);
  world.wants_to_ask = false;
  world.asker_waits = false;
}

}  // namespace teleport
