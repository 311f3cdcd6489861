// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/source_steps.hpp: a teleport's course at its source, driven as
// if all went well up to a step of the test's choice.

#ifndef TELEPORT_TEST_SUPPORT_SOURCE_STEPS_HPP
#define TELEPORT_TEST_SUPPORT_SOURCE_STEPS_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "libteleport/base/units.hpp"
#include "libteleport/session/source_course.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport::source_steps {

using state = source_course::state;
using blocks = source_course::blocks;
using action = source_action;
using actions = std::vector<source_step>;
using std::chrono::milliseconds;

/// Steps of a teleport that goes well, in order.
enum class step {
  greeting,
  offered,
  answered,
  preparing,
  bulk,
  weighing,
  round,
  memory,     ///< between two rounds
  suspended,  ///< the last marks are being taken
  last_blocks,
  complete,
  durable,
  sent,      ///< libxl's stream as well; its thread has not returned
  received,  ///< the same, and GUEST_RECEIVED has come
  committed,
};
constexpr std::array every_step = {step::greeting,
                                   step::offered,
                                   step::answered,
                                   step::preparing,
                                   step::bulk,
                                   step::weighing,
                                   step::round,
                                   step::memory,
                                   step::suspended,
                                   step::last_blocks,
                                   step::complete,
                                   step::durable,
                                   step::sent,
                                   step::received,
                                   step::committed};

/// A course, a clock that the test moves, and a link of 10 MiB/s.
struct driven {
  source_course course{{seconds(1), seconds(60)}, milliseconds(60'000)};
  source_course::moment now{};

  void wait(milliseconds time) {
    now.time += time;
    now.link.time += time;
    now.link.bytes += static_cast<std::uint64_t>(time.count()) * 10_MiB / 1000;
  }
  actions todo() {
    actions all;
    while (const auto next = course.next()) {
      all.push_back(*next);
    }
    return all;
  }
  result<void> hear(record_type type, bool good = true) {
    return course.on_record(type, good, now);
  }

  /// Goes on by one step, as if all went well.
  void go_to(step to) {
    switch (to) {
      case step::greeting:
        return;
      case step::offered:
        REQUIRE(hear(record_type::hello));
        return;
      case step::answered:
        REQUIRE(hear(record_type::answer));
        CHECK(todo() == actions{action::attach});
        return;
      case step::preparing:
        course.on_attached(true);
        CHECK(todo() == actions{record_type::prepare, action::start_bulk});
        return;
      case step::bulk:
        REQUIRE(hear(record_type::prepared));
        CHECK(todo() == actions{action::targets_ready});
        return;
      case step::weighing:
        wait(milliseconds(10'000));
        course.on_pass_done(now);
        CHECK(todo() == actions{action::weigh});
        return;
      case step::round:
        course.on_weighed(100_MiB, now);
        CHECK(todo() == actions{action::start_round});
        return;
      case step::memory:
        wait(milliseconds(10'000));
        course.on_pass_done(now);
        CHECK(todo() == actions{action::weigh});
        course.on_weighed(1_MiB, now);
        CHECK(todo() == actions{action::look_at_guest});
        course.on_looked(now.time);
        CHECK(todo() ==
              actions{action::start_memory, action::weigh_after_pause});
        return;
      case step::suspended:
        course.on_suspended(now.time);
        CHECK(todo() == actions{action::take_last_marks});
        return;
      case step::last_blocks:
        wait(milliseconds(1));
        course.on_last_marks(now.time);
        CHECK(todo() == actions{action::send_last_blocks});
        return;
      case step::complete:
        wait(milliseconds(2));
        course.on_blocks_sent(now.time);
        wait(milliseconds(3));
        course.on_pass_done(now);
        CHECK(todo() == actions{record_type::disks_complete});
        return;
      case step::durable:
        wait(milliseconds(4));
        REQUIRE(hear(record_type::disks_durable));
        return;
      case step::sent:
        wait(milliseconds(5));
        course.on_stream_sent(now.time);
        CHECK(todo() == actions{action::look_at_guest});
        course.on_looked(now.time);
        return;
      case step::received:
        wait(milliseconds(6));
        REQUIRE(hear(record_type::guest_received));
        CHECK(todo().empty());
        return;
      case step::committed:
        wait(milliseconds(7));
        course.on_saved(true, now.time);
        CHECK(todo() == actions{action::journal_go});
        wait(milliseconds(8));
        course.on_journalled(true, now.time);
        CHECK(todo() == actions{record_type::go});
        return;
    }
  }
};

/// At a destination that gives turns: ASK_TURN was sent, and a pause begun.
inline driven at_waiting() {
  driven one;
  for (const step next : every_step) {
    if (next == step::answered) {
      one.course.needs_turn();
    }
    one.go_to(next);
    if (next == step::weighing) {
      break;
    }
  }
  one.course.on_weighed(1_MiB, one.now);
  CHECK(one.todo() ==
        actions{record_type::ask_turn, action::weigh_after_pause});
  return one;
}

inline driven at(step wanted) {
  driven one;
  for (const step next : every_step) {
    one.go_to(next);
    if (next == wanted) {
      break;
    }
  }
  return one;
}

}  // namespace teleport::source_steps

#endif  // TELEPORT_TEST_SUPPORT_SOURCE_STEPS_HPP
