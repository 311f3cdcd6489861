// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/seed_course_test.cpp: a seed at its source without sockets or
// disks: which record may come when, with trackers and without, and how it
// ends.

#include "libteleport/session/seed_course.hpp"

#include <array>
#include <string>
#include <vector>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

using state = seed_course::state;
using action = seed_action;
using actions = std::vector<seed_step>;

actions todo(seed_course& course) {
  actions all;
  while (const auto next = course.next()) {
    all.push_back(*next);
  }
  return all;
}

/// A seed of disks that the guest writes, once it has come as far as `wanted`.
seed_course followed(state wanted) {
  seed_course course;
  course.on_connected(false);
  CHECK(todo(course).empty());
  if (wanted == state::greeting) {
    return course;
  }
  REQUIRE(course.on_record(record_type::hello));
  if (wanted == state::offered) {
    return course;
  }
  REQUIRE(course.on_record(record_type::answer));
  CHECK(todo(course) == actions{action::attach_trackers});
  if (wanted == state::answered) {
    return course;
  }
  REQUIRE(course.on_attached(true));
  CHECK(todo(course) == actions{record_type::prepare, action::start_bulk});
  if (wanted == state::preparing) {
    return course;
  }
  REQUIRE(course.on_record(record_type::prepared));
  CHECK(todo(course) == actions{action::targets_ready});
  if (wanted == state::disks) {
    return course;
  }
  course.on_pass_done();
  CHECK(todo(course) == actions{action::weigh});
  course.on_weighed(1_MiB);
  CHECK(todo(course) == actions{action::start_round});
  course.on_pass_done();
  CHECK(todo(course) == actions{record_type::disks_complete});
  if (wanted == state::keeping) {
    return course;
  }
  REQUIRE(course.on_record(record_type::seeded));
  CHECK(todo(course) == actions{action::stop_disks});
  return course;
}

constexpr std::array states = {state::greeting,
                               state::offered,
                               state::answered,
                               state::preparing,
                               state::disks,
                               state::keeping,
                               state::over};

bool is_due(record_type type, state now) {
  switch (type) {
    case record_type::hello:
      return now == state::greeting;
    case record_type::answer:
      return now == state::offered;
    case record_type::prepared:
      return now == state::preparing;
    case record_type::extent_states:
    case record_type::wanted:
      return now == state::disks;
    case record_type::seeded:
      return now == state::keeping;
    case record_type::fail:
      return now != state::over;
    default:
      return false;
  }
}

}  // namespace

TEST_CASE("a seed's source takes each record in its own state and in no other",
          "[session][seed]") {
  for (const state now : states) {
    for (std::uint16_t number = 0; number < 64; ++number) {
      const auto type = static_cast<record_type>(number);
      seed_course course = followed(now);
      const auto taken = course.on_record(type);
      CAPTURE(std::string(name_of(now)), std::string(name_of(type)), number);
      CHECK(taken.has_value() == is_due(type, now));
      if (!taken) {
        CHECK(taken.error().code == errc::protocol);
        CHECK(course.at() == now);
        CHECK(todo(course).empty());
      }
    }
  }
}

TEST_CASE("a disk that nobody writes is read while the hosts greet each other",
          "[session][seed]") {
  seed_course course;
  course.on_connected(true);
  CHECK(todo(course) == actions{record_type::prepare, action::attach_plain});
  CHECK_FALSE(course.follows());
  const bool attached_first = GENERATE(true, false);
  if (attached_first) {
    REQUIRE(course.on_attached(true));
    CHECK(todo(course) == actions{action::start_bulk});
  }
  CHECK_FALSE(course.on_record(record_type::prepared));
  REQUIRE(course.on_record(record_type::hello));
  REQUIRE(course.on_record(record_type::answer));
  CHECK(todo(course).empty());
  REQUIRE(course.on_record(record_type::prepared));
  CHECK_FALSE(course.on_record(record_type::prepared));
  if (attached_first) {
    CHECK(todo(course) == actions{action::targets_ready});
  } else {
    CHECK(todo(course).empty());
    CHECK_FALSE(course.on_record(record_type::extent_states));
    REQUIRE(course.on_attached(true));
    CHECK(todo(course) == actions{action::start_bulk, action::targets_ready});
  }
  // No round: nobody writes.
  course.on_pass_done();
  CHECK(todo(course) == actions{record_type::disks_complete});
}

TEST_CASE("a seed does without trackers where none can be attached",
          "[session][seed]") {
  seed_course course = followed(state::answered);
  CHECK(course.on_attached(false));
  CHECK(todo(course) == actions{action::attach_plain});
  CHECK_FALSE(course.follows());
  SECTION("and sends no round") {
    REQUIRE(course.on_attached(true));
    CHECK(todo(course) == actions{record_type::prepare, action::start_bulk});
    REQUIRE(course.on_record(record_type::prepared));
    (void)todo(course);
    course.on_pass_done();
    CHECK(todo(course) == actions{record_type::disks_complete});
  }
  SECTION("and fails where the disks cannot be opened at all") {
    CHECK_FALSE(course.on_attached(false));
    CHECK(course.on_failure());
  }
}

TEST_CASE("a seed during which nothing was written sends no round",
          "[session][seed]") {
  seed_course course = followed(state::disks);
  course.on_pass_done();
  (void)todo(course);
  CHECK_FALSE(course.on_record(record_type::wanted));
  course.on_weighed(0);
  CHECK(todo(course) == actions{record_type::disks_complete});
}

TEST_CASE("a seed ends once no job uses its disks", "[session][seed]") {
  seed_course course = followed(state::over);
  course.on_disks_at_rest();
  CHECK(todo(course) == actions{action::end});
  course.on_disks_at_rest();
  CHECK(todo(course).empty());
  CHECK_FALSE(course.on_failure());
}

TEST_CASE("a seed that fails says so, stops and ends, wherever it is",
          "[session][seed]") {
  for (const state now : states) {
    if (now == state::over) {
      continue;
    }
    CAPTURE(std::string(name_of(now)));
    seed_course course = followed(now);
    CHECK(course.on_failure());
    CHECK(todo(course) == actions{action::send_fail, action::stop_disks});
    CHECK_FALSE(course.on_failure());
    course.on_disks_at_rest();
    if (now == state::answered) {
      CHECK(todo(course).empty());
      CHECK(course.on_attached(false));  // not tried again
    }
    CHECK(todo(course) == actions{action::end});
  }
}

}  // namespace teleport
