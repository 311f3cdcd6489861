// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fuzz/fuzz_source_course.cpp: a destination that sends any records in any
// order, and a host on which anything may end at any time: the source never
// gives GO too early, and never keeps a guest that it has given away.
//
// Each byte of the input is an event; its upper bit is the event's outcome.

#include <cstdint>
#include <cstdlib>

#include "libteleport/session/source_course.hpp"

namespace {

using teleport::record_type;
using teleport::source_action;
using teleport::source_course;
using teleport::source_step;

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// What was done, as far as rules hang on it.
struct told {
  source_course course{{teleport::seconds(1), teleport::seconds(60)},
                       std::chrono::seconds(2)};
  source_course::moment now{};
  bool prepare = false;
  bool disks_complete = false;
  bool durable = false;
  bool received = false;
  bool takes_turns = false;
  bool asked_turn = false;
  bool has_turn = false;
  bool held = false;  ///< libxl's stream
  bool saved = false;
  bool looked = false;  ///< at the suspended guest
  bool go = false;
  bool runs_there = false;
  bool not_there = false;
  bool resumed = false;
  bool finished = false;

  void hear(record_type type, bool good) {
    if (!course.on_record(type, good, now)) {
      // As the driver: what may not come ends the teleport.
      (void)course.on_failure();
      return;
    }
    require(type != record_type::prepared || prepare);
    require(type != record_type::turn || asked_turn);
    has_turn = has_turn || type == record_type::turn;
    require(type != record_type::disks_durable || disks_complete);
    require(type != record_type::guest_received || durable);
    require(type != record_type::go_result || go);
    durable = durable || type == record_type::disks_durable;
    received = received || type == record_type::guest_received;
    if (type == record_type::go_result) {
      (good ? runs_there : not_there) = true;
    }
  }

  void send(record_type empty) {
    prepare = prepare || empty == record_type::prepare;
    if (empty == record_type::ask_turn) {
      require(takes_turns && !asked_turn);
      asked_turn = true;
    } else if (empty == record_type::disks_complete) {
      require(course.is_suspended());
      disks_complete = true;
    } else if (empty == record_type::go) {
      require(!go);
      go = true;
    }
  }

  void perform(const source_step& todo) {
    if (const auto* empty = std::get_if<record_type>(&todo)) {
      send(*empty);
      return;
    }
    switch (std::get<source_action>(todo)) {
      case source_action::start_memory:
        require(has_turn == takes_turns);
        return;
      case source_action::hold_memory:
        require(!course.is_suspended() && !held);
        held = true;
        return;
      case source_action::release_memory:
        require(held);
        held = false;
        return;
      case source_action::take_last_marks:
        require(!held);
        return;
      case source_action::journal_go:
        require(received && durable && saved && looked && !resumed);
        return;
      case source_action::leave_guest:
        require(!course.is_suspended());
        [[fallthrough]];
      case source_action::resume_guest:
        require(!resumed && !finished && (!go || not_there));
        require(!course.is_saving());
        resumed = true;
        return;
      case source_action::finish:
        require(!finished && !resumed && go && runs_there);
        finished = true;
        return;
      default:
        return;
    }
  }
};

void event(told& world, unsigned number, bool good) {
  source_course& course = world.course;
  switch (number) {
    case 64:
      course.on_attached(good);
      if (!good) {
        (void)course.on_failure();
      }
      return;
    case 65:
      world.now.link.bytes += 1'000'000;
      world.now.link.time += std::chrono::milliseconds(100);
      return course.on_pass_done(world.now);
    case 66:
      return course.on_weighed(good ? 0 : 1'000'000'000, world.now);
    case 67:
      return course.on_pause_over();
    case 68:
      return course.on_suspended(world.now.time);
    case 69:
      return course.on_last_marks(world.now.time);
    case 70:
      return course.on_blocks_sent(world.now.time);
    case 71:
      return course.on_stream_sent(world.now.time);
    case 72:
      if (course.is_saving()) {
        world.saved = good;
        course.on_saved(good, world.now.time);
        if (!good) {
          (void)course.on_failure();
        }
      }
      return;
    case 73:
      return course.on_journalled(good, world.now.time);
    case 74: {
      if (course.at() != source_course::state::asking) {
        return;
      }
      world.runs_there = world.runs_there || good;
      world.not_there = world.not_there || !good;
      return course.on_fate(good ? teleport::destination_fate::running
                                 : teleport::destination_fate::abandoned);
    }
    case 75:
      return course.on_no_answer();
    case 76:
      return course.on_disks_at_rest();
    case 77:
      (void)course.on_failure();
      return;
    case 78:
      world.looked = world.looked || course.is_suspended();
      return course.on_looked(world.now.time);
    case 79:
      if (course.on_time(world.now.time)) {
        require(!world.go && course.on_failure());
      }
      return;
    case 80:
      if (course.at() == source_course::state::offered) {
        world.takes_turns = true;
        course.needs_turn();
      }
      return;
    default:
      if (number < 64) {
        world.hear(static_cast<record_type>(number), good);
      }
      return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size) {
  told world;
  for (std::size_t i = 0; i < size; ++i) {
    world.now.time += std::chrono::milliseconds(100);
    event(world, data[i] & 0x7fU, (data[i] & 0x80U) == 0);
    while (const auto todo = world.course.next()) {
      world.perform(*todo);
    }
  }
  return 0;
}
