// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/source_rounds_test.cpp: the order of rounds and memory at the
// source, the pauses between them, and the steps of the downtime.

#include <algorithm>
#include <string>
#include <vector>

#include "libteleport/session/source_course.hpp"
#include "test/support/approx.hpp"
#include "test/support/catch.hpp"
#include "test/support/source_steps.hpp"

namespace teleport {

using namespace source_steps;

TEST_CASE("rounds follow each other at once until the rest is small",
          "[session][source_course]") {
  driven one = at(step::weighing);
  for (const std::uint64_t dirty : {400_MiB, 200_MiB, 100_MiB, 50_MiB}) {
    one.course.on_weighed(dirty, one.now);
    CHECK(one.todo() == actions{action::start_round});
    one.wait(milliseconds(dirty / 10_MiB * 1000));
    one.course.on_pass_done(one.now);
    CHECK(one.todo() == actions{action::weigh});
  }
  // 9 MiB at 10 MiB/s: within the second that is wanted.
  one.course.on_weighed(9_MiB, one.now);
  CHECK(one.todo() == actions{action::look_at_guest});
  one.course.on_looked(one.now.time);
  CHECK(one.todo() == actions{action::start_memory, action::weigh_after_pause});
  CHECK(one.course.at() == state::memory);
  CHECK(one.course.rounds() == 4);
}

TEST_CASE("what was weighed before the memory is sent half a second after it",
          "[session][source_course]") {
  driven one = at(step::memory);
  CHECK(one.course.round_pause() == milliseconds(500));
  one.course.on_pause_over();
  CHECK(one.todo() == actions{action::weigh});
  // Beside the memory every weighing leads to a round, however small.
  one.course.on_weighed(0, one.now);
  CHECK(one.todo() == actions{action::start_round});
}

TEST_CASE("a round beside the memory is followed by a pause of twice its time",
          "[session][source_course]") {
  const auto took = GENERATE(0, 100, 250, 251, 3000);
  driven one = at(step::memory);
  one.course.on_pause_over();
  one.wait(milliseconds(70));  // weighing is no part of the round
  one.course.on_weighed(1_MiB, one.now);
  (void)one.todo();
  one.wait(milliseconds(took));
  one.course.on_pass_done(one.now);
  CHECK(one.todo() == actions{action::weigh_after_pause});
  CHECK(one.course.round_pause() == milliseconds(std::max(500, 2 * took)));
}

TEST_CASE(
    "a guest that is suspended between rounds gives its last marks at once",
    "[session][source_course]") {
  driven one = at(step::memory);
  one.course.on_suspended(one.now.time);
  CHECK(one.todo() == actions{action::take_last_marks});
  one.course.on_pause_over();  // its timer was on the way
  CHECK(one.todo().empty());
}

TEST_CASE(
    "a guest that is suspended while marks are taken gives its last ones "
    "after that",
    "[session][source_course]") {
  driven one = at(step::memory);
  one.course.on_pause_over();
  (void)one.todo();
  one.course.on_suspended(one.now.time);
  CHECK(one.todo().empty());
  one.course.on_weighed(5_MiB, one.now);
  CHECK(one.todo() == actions{action::take_last_marks});
}

TEST_CASE(
    "a guest that is suspended during a round gives its last marks after "
    "it",
    "[session][source_course]") {
  driven one = at(step::memory);
  one.course.on_pause_over();
  one.course.on_weighed(5_MiB, one.now);
  (void)one.todo();
  one.course.on_suspended(one.now.time);
  one.course.on_suspended(one.now.time);
  CHECK(one.todo().empty());
  one.course.on_pass_done(one.now);
  CHECK(one.todo() == actions{action::take_last_marks});
  one.course.on_last_marks(one.now.time);
  CHECK(one.todo() == actions{action::send_last_blocks});
  one.course.on_pass_done(one.now);
  CHECK(one.todo() == actions{record_type::disks_complete});
}

TEST_CASE(
    "a guest that writes faster than the link carries is given up before "
    "its memory is touched",
    "[session][source_course]") {
  driven one = at(step::weighing);
  actions last;
  for (unsigned round = 0; round < 40; ++round) {
    one.course.on_weighed(10'000_MiB, one.now);
    last = one.todo();
    if (last != actions{action::start_round}) {
      break;
    }
    one.wait(milliseconds(1'000'000));
    one.course.on_pass_done(one.now);
    CHECK(one.todo() == actions{action::weigh});
  }
  CHECK(last == actions{action::give_up});
  CHECK(one.course.at() == state::disks);
  CHECK(one.course.left() == 10'000_MiB);
}

TEST_CASE("a guest that writes much holds its memory until the rest is small",
          "[session][source_course]") {
  driven one = at(step::memory);
  one.course.on_pause_over();
  CHECK(one.todo() == actions{action::weigh});
  // 30 MiB at 10 MiB/s: more than the second that is wanted.
  one.course.on_weighed(30_MiB, one.now);
  CHECK(one.todo() == actions{action::hold_memory, action::start_round});
  one.wait(milliseconds(3000));
  one.course.on_pass_done(one.now);
  CHECK(one.todo() == actions{action::weigh});
  one.course.on_weighed(15_MiB, one.now);
  CHECK(one.todo() == actions{action::start_round});
  one.wait(milliseconds(1500));
  one.course.on_pass_done(one.now);
  CHECK(one.todo() == actions{action::weigh});
  one.course.on_weighed(8_MiB, one.now);
  CHECK(one.todo() == actions{action::release_memory, action::start_round});
  one.wait(milliseconds(800));
  one.course.on_pass_done(one.now);
  CHECK(one.todo() == actions{action::weigh_after_pause});
}

TEST_CASE(
    "a guest that writes as fast as the link carries gets its memory over",
    "[session][source_course]") {
  driven one = at(step::memory);
  unsigned pauses = 0;
  for (int round = 0; round < 20; ++round) {
    one.course.on_pause_over();
    const actions asked = one.todo();
    CHECK(asked.size() <= 1);
    one.course.on_weighed(100_MiB, one.now);
    (void)one.todo();
    one.wait(milliseconds(10'000));
    one.course.on_pass_done(one.now);
    const actions next = one.todo();
    if (next == actions{action::weigh_after_pause}) {
      ++pauses;
    } else {
      CHECK(next == actions{action::weigh});
    }
  }
  CHECK(pauses == 5);
}

TEST_CASE("memory that is held goes on once the guest is suspended",
          "[session][source_course]") {
  driven one = at(step::memory);
  one.course.on_pause_over();
  (void)one.todo();
  one.course.on_weighed(30_MiB, one.now);
  CHECK(one.todo() == actions{action::hold_memory, action::start_round});
  one.course.on_suspended(one.now.time);
  CHECK(one.todo() == actions{action::release_memory});
  one.course.on_pass_done(one.now);
  CHECK(one.todo() == actions{action::take_last_marks});
}

TEST_CASE("rounds go on while the turn of the memory is awaited",
          "[session][source_course]") {
  driven one = at_waiting();
  CHECK(one.course.at() == state::disks);
  CHECK(one.course.waits_for_turn());
  for (int round = 0; round < 50; ++round) {
    CHECK(one.course.round_pause() == milliseconds(500));
    one.wait(milliseconds(500));
    one.course.on_pause_over();
    CHECK(one.todo() == actions{action::weigh});
    // However much or little: they neither end nor are in vain.
    one.course.on_weighed(round % 2 == 0 ? 0 : 10'000_MiB, one.now);
    CHECK(one.todo() == actions{action::start_round});
    one.wait(milliseconds(200));
    one.course.on_pass_done(one.now);
    CHECK(one.todo() == actions{action::weigh_after_pause});
  }
  CHECK(one.course.waits_for_turn());
}

TEST_CASE("the memory follows once its turn has come and the rest is small",
          "[session][source_course]") {
  driven one = at_waiting();
  CHECK(one.todo().empty());
  SECTION("in a pause, which is cut short") {
    REQUIRE(one.hear(record_type::turn));
    CHECK(one.todo() == actions{action::weigh});
  }
  SECTION("while marks are taken") {
    one.course.on_pause_over();
    CHECK(one.todo() == actions{action::weigh});
    REQUIRE(one.hear(record_type::turn));
    CHECK(one.todo().empty());
  }
  SECTION("in a round, after which it is weighed at once") {
    one.course.on_pause_over();
    (void)one.todo();
    one.course.on_weighed(5_MiB, one.now);
    CHECK(one.todo() == actions{action::start_round});
    REQUIRE(one.hear(record_type::turn));
    CHECK(one.todo().empty());
    one.wait(milliseconds(500));
    one.course.on_pass_done(one.now);
    CHECK(one.todo() == actions{action::weigh});
  }
  CHECK_FALSE(one.course.waits_for_turn());
  CHECK_FALSE(one.hear(record_type::turn));
  one.course.on_weighed(400_MiB, one.now);
  CHECK(one.todo() == actions{action::start_round});
  one.wait(milliseconds(40'000));
  one.course.on_pass_done(one.now);
  CHECK(one.todo() == actions{action::weigh});
  one.course.on_weighed(1_MiB, one.now);
  CHECK(one.todo() == actions{action::look_at_guest});
  one.course.on_looked(one.now.time);
  CHECK(one.todo() == actions{action::start_memory, action::weigh_after_pause});
}

TEST_CASE("a turn that nobody asked for is refused",
          "[session][source_course]") {
  for (const step now : every_step) {
    driven one = at(now);
    CHECK_FALSE(one.course.may_come(record_type::turn));
  }
}

TEST_CASE("a source that waits for its turn stays when its link is lost",
          "[session][source_course]") {
  driven one = at_waiting();
  CHECK(one.course.on_failure());
  CHECK(one.todo() == actions{action::stop});
  one.course.on_disks_at_rest();
  CHECK(one.todo() == actions{action::leave_guest});
}

TEST_CASE("the downtime is told step by step", "[session][source_course]") {
  driven one = at(step::committed);
  one.wait(milliseconds(9));
  REQUIRE(one.hear(record_type::go_result));
  const auto at_ms = [](double time) {
    return std::chrono::duration<double>(time / 1000);
  };
  using entries = std::vector<downtime_entry>;
  const entries expected = {{downtime_step::suspended, at_ms(0)},
                            {downtime_step::marks_taken, at_ms(1)},
                            {downtime_step::blocks_sent, at_ms(3)},
                            {downtime_step::blocks_proven, at_ms(6)},
                            {downtime_step::disks_durable, at_ms(10)},
                            {downtime_step::memory_sent, at_ms(15)},
                            {downtime_step::looked, at_ms(15)},
                            {downtime_step::guest_built, at_ms(21)},
                            {downtime_step::saved, at_ms(28)},
                            {downtime_step::go_sent, at_ms(36)},
                            {downtime_step::running, at_ms(45)}};
  const auto& steps = one.course.downtime().steps();
  REQUIRE(steps.size() == expected.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    CAPTURE(std::string(name_of(expected[i].step)));
    CHECK(steps[i].step == expected[i].step);
    CHECK(steps[i].at.count() == Approx(expected[i].at.count()));
  }
  REQUIRE(one.course.downtime().total());
  CHECK(one.course.downtime().total()->count() == Approx(0.045));
}

}  // namespace teleport
