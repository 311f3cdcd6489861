// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/source_course_test.cpp: a teleport at its source without sockets,
// disks or libxl: which record may come when, and where a failure leads from
// each step.

#include "libteleport/session/source_course.hpp"

#include <string>

#include "test/support/catch.hpp"
#include "test/support/source_steps.hpp"

namespace teleport {

using namespace source_steps;

namespace {

/// PROTOCOL.md, section 2.3, as the source must have it.
bool is_due(record_type type, step now) {
  switch (type) {
    case record_type::hello:
      return now == step::greeting;
    case record_type::answer:
      return now == step::offered;
    case record_type::prepared:
      return now == step::preparing;
    case record_type::wanted:
      return now >= step::bulk && now <= step::round;
    case record_type::extent_states:
      return now >= step::bulk && now <= step::last_blocks;
    case record_type::disks_durable:
      return now == step::complete;
    case record_type::guest_received:
      return now == step::sent;
    case record_type::go_result:
      return now == step::committed;
    case record_type::fail:
      return true;
    default:
      return false;
  }
}

}  // namespace

TEST_CASE("the source takes each record at its own step and at no other",
          "[session][source_course]") {
  for (const step now : every_step) {
    for (std::uint16_t number = 0; number < 64; ++number) {
      const auto type = static_cast<record_type>(number);
      driven one = at(now);
      const state before = one.course.at();
      const auto taken = one.hear(type);
      CAPTURE(static_cast<int>(now), number, std::string(name_of(type)));
      CHECK(taken.has_value() == is_due(type, now));
      if (!taken) {
        CHECK(taken.error().code == errc::protocol);
        CHECK(one.course.at() == before);
        CHECK(one.todo().empty());
      }
    }
  }
}

TEST_CASE(
    "PREPARED before PREPARE was sent is refused while disks are attached",
    "[session][source_course]") {
  driven one = at(step::answered);
  CHECK_FALSE(one.hear(record_type::prepared));
  one.course.on_attached(true);
  CHECK(one.todo() == actions{record_type::prepare, action::start_bulk});
  CHECK(one.hear(record_type::prepared));
}

TEST_CASE("GO is not given to a destination whose disks are not durable",
          "[session][source_course]") {
  driven one = at(step::complete);
  one.course.on_stream_sent(one.now.time);
  one.course.on_saved(true, one.now.time);
  CHECK_FALSE(one.hear(record_type::guest_received));
  CHECK(one.todo() == actions{action::look_at_guest});
  one.course.on_looked(one.now.time);
  REQUIRE(one.hear(record_type::disks_durable));
  CHECK_FALSE(one.hear(record_type::disks_durable));
  REQUIRE(one.hear(record_type::guest_received));
  CHECK(one.todo() == actions{action::journal_go});
}

TEST_CASE("a second HELLO is told to be out of time, not of another version",
          "[session][source_course]") {
  driven one = at(step::offered);
  const auto again = one.hear(record_type::hello);
  REQUIRE_FALSE(again);
  CHECK(again.error().context.find("HELLO") != std::string::npos);
  CHECK(again.error().context.find("out of time") != std::string::npos);
  CHECK(again.error().context.find("version") == std::string::npos);
}

TEST_CASE("GUEST_RECEIVED that comes before libxl's thread has returned waits",
          "[session][source_course]") {
  driven one = at(step::received);
  CHECK(one.course.at() == state::ready);
  CHECK(one.todo().empty());
  one.course.on_saved(true, one.now.time);
  CHECK(one.todo() == actions{action::journal_go});
}

TEST_CASE("GUEST_RECEIVED before the stream's end was sent is refused",
          "[session][source_course]") {
  driven one = at(step::durable);
  CHECK_FALSE(one.hear(record_type::guest_received));
}

TEST_CASE("a save that fails after GUEST_RECEIVED leaves the guest here",
          "[session][source_course]") {
  driven one = at(step::received);
  one.course.on_saved(false, one.now.time);
  CHECK(one.todo().empty());
  CHECK(one.course.on_failure());
  CHECK(one.todo() == actions{action::stop, action::resume_guest});
}

TEST_CASE("a guest that is not welcome is left untouched",
          "[session][source_course]") {
  driven one = at(step::offered);
  REQUIRE(one.hear(record_type::answer, false));
  CHECK(one.todo() == actions{action::end_untouched});
  CHECK_FALSE(one.course.has_begun());
  CHECK_FALSE(one.course.on_failure());
}

TEST_CASE(
    "a failure before GO leaves the guest here, and what ran is stopped "
    "first",
    "[session][source_course]") {
  for (const step now : every_step) {
    CAPTURE(static_cast<int>(now));
    driven one = at(now);
    CHECK(one.course.may_cancel() == (now != step::committed));
    REQUIRE(one.course.on_failure());
    if (now < step::answered) {
      CHECK(one.todo() == actions{action::end_untouched});
      continue;
    }
    if (now == step::committed) {
      CHECK(one.todo() == actions{action::ask});
      continue;
    }
    CHECK(one.todo() == actions{action::stop});
    CHECK_FALSE(one.course.listens());
    CHECK_FALSE(one.course.on_failure());
    one.course.on_disks_at_rest();
    const bool saving = now >= step::memory;
    if (now == step::answered) {
      CHECK(one.todo().empty());
      one.course.on_attached(true);
    } else if (saving) {
      CHECK(one.todo().empty());
      one.course.on_saved(false, one.now.time);
    }
    CHECK(one.todo() ==
          actions{saving ? action::resume_guest : action::leave_guest});
    CHECK_FALSE(one.course.on_failure());
  }
}

TEST_CASE("a guest that no save of ours has suspended is not resumed",
          "[session][source_course]") {
  driven one = at(step::round);
  REQUIRE(one.course.on_failure());
  CHECK(one.todo() == actions{action::stop});
  one.course.on_disks_at_rest();
  CHECK(one.todo() == actions{action::leave_guest});
}

TEST_CASE("a suspended guest is resumed while a disk still works",
          "[session][source_course]") {
  driven one = at(step::last_blocks);
  REQUIRE(one.course.on_failure());
  CHECK(one.todo() == actions{action::stop});
  one.course.on_saved(false, one.now.time);
  CHECK(one.todo() == actions{action::resume_guest});
  one.course.on_disks_at_rest();
  CHECK(one.todo().empty());
}

TEST_CASE("the memory is not sent before the guest was looked at",
          "[session][source_course]") {
  driven one = at(step::weighing);
  one.course.on_weighed(0, one.now);
  CHECK(one.todo() == actions{action::look_at_guest});
  CHECK(one.course.at() == state::disks);
  SECTION("it is as it was") {
    one.course.on_looked(one.now.time);
    CHECK(one.course.at() == state::memory);
    one.course.on_looked(one.now.time);
    CHECK(one.todo() ==
          actions{action::start_memory, action::weigh_after_pause});
  }
  SECTION("others have changed it") {
    REQUIRE(one.course.on_failure());
    one.course.on_looked(one.now.time);
    CHECK(one.todo() == actions{action::stop});
  }
}

TEST_CASE("GO is not given before the suspended guest was looked at",
          "[session][source_course]") {
  driven one = at(step::durable);
  one.course.on_saved(true, one.now.time);
  CHECK(one.todo() == actions{action::look_at_guest});
  REQUIRE(one.hear(record_type::guest_received));
  CHECK(one.todo().empty());
  one.course.on_looked(one.now.time);
  CHECK(one.todo() == actions{action::journal_go});
}

TEST_CASE("before GO no guest is suspended for longer than the limit",
          "[session][source_course]") {
  for (const step now : every_step) {
    CAPTURE(static_cast<int>(now));
    driven one = at(now);
    const bool limited = now >= step::suspended && now < step::committed;
    const auto at_most =
        at(step::suspended).now.time + std::chrono::seconds(60);
    CHECK(one.course.due().has_value() == (limited || now == step::committed));
    if (limited) {
      CHECK(one.course.due() == at_most);
      CHECK_FALSE(one.course.on_time(at_most - milliseconds(1)));
    }
    CHECK(one.course.on_time(at_most) == limited);
    CHECK(one.todo() ==
          (now == step::committed ? actions{action::ask_beside} : actions{}));
    (void)one.course.on_failure();
    CHECK_FALSE(one.course.due());
  }
}

TEST_CASE("without a limit a guest is suspended for as long as it takes",
          "[session][source_course]") {
  source_course course{downtime_budget()};
  CHECK_FALSE(course.due());
  CHECK_FALSE(course.on_time(source_course::time_point::max()));
}

TEST_CASE("a destination that is silent after GO is asked beside the link",
          "[session][source_course]") {
  driven one = at(step::committed);
  const auto patience = source_course::answer_patience;
  REQUIRE(one.course.due() == one.now.time + patience);
  CHECK_FALSE(one.course.on_time(one.now.time + patience / 2));
  CHECK(one.todo().empty());
  CHECK_FALSE(one.course.on_time(one.now.time + patience));
  CHECK(one.todo() == actions{action::ask_beside});
  CHECK_FALSE(one.course.due());
  SECTION("its word on GO still counts") {
    REQUIRE(one.hear(record_type::go_result, true));
    CHECK(one.todo() == actions{action::finish});
    one.course.on_fate(destination_fate::running);
    CHECK(one.todo().empty());
  }
  SECTION("so does its answer to QUERY") {
    one.course.on_fate(destination_fate::running);
    CHECK(one.todo() == actions{action::finish});
  }
  SECTION("and so does the end of the link") {
    REQUIRE(one.course.on_failure());
    CHECK(one.todo() == actions{action::ask});
  }
}

TEST_CASE("what was to be done before a failure is not done after it",
          "[session][source_course]") {
  driven one = at(step::weighing);
  one.course.on_weighed(1_MiB, one.now);  // start_memory waits to be done
  REQUIRE(one.course.on_failure());
  CHECK(one.todo() == actions{action::stop});
}

TEST_CASE("GO that could not be journalled is not sent", "[session]") {
  driven one = at(step::received);
  one.course.on_saved(true, one.now.time);
  CHECK(one.todo() == actions{action::journal_go});
  one.course.on_journalled(false, one.now.time);
  CHECK(one.todo() == actions{action::stop, action::resume_guest});
}

TEST_CASE("the destination's word on GO decides", "[session][source_course]") {
  const bool runs = GENERATE(true, false);
  driven one = at(step::committed);
  REQUIRE(one.hear(record_type::go_result, runs));
  CHECK(one.todo() == (runs ? actions{action::finish}
                            : actions{action::stop, action::resume_guest}));
  CHECK(one.course.downtime().total().has_value() == runs);
  CHECK(one.course.may_cancel() == !runs);
}

TEST_CASE("after a link that broke behind GO the answer to QUERY decides",
          "[session][source_course]") {
  driven one = at(step::committed);
  REQUIRE(one.course.on_failure());
  CHECK(one.todo() == actions{action::ask});
  CHECK_FALSE(one.course.on_failure());
  one.course.on_disks_at_rest();
  SECTION("it runs there") {
    one.course.on_fate(destination_fate::running);
    CHECK(one.todo() == actions{action::finish});
  }
  SECTION("it was abandoned there") {
    one.course.on_fate(destination_fate::abandoned);
    CHECK(one.todo() == actions{action::stop, action::resume_guest});
  }
  SECTION("nobody knows") {
    one.course.on_fate(destination_fate::uncertain);
    CHECK(one.todo() == actions{action::report_uncertain});
  }
  SECTION("it is not decided yet") {
    one.course.on_fate(destination_fate::in_progress);
    CHECK(one.todo() == actions{action::ask});
  }
  SECTION("nobody answers") {
    one.course.on_no_answer();
    CHECK(one.todo() == actions{action::report_uncertain});
  }
}

}  // namespace teleport
