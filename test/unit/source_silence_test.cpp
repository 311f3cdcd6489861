// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/source_silence_test.cpp: how long a session waits for a source that
// sends nothing.

#include "libteleport/session/source_silence.hpp"

#include "libteleport/session/standstill.hpp"
#include "test/support/catch.hpp"
#include "test/support/course_at.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

using namespace std::chrono_literals;
using watch = source_silence;

/// No time runs there: this side has something to do, or GO was given.
bool is_ours(destination_state at) {
  switch (at) {
    case destination_state::asked:
    case destination_state::offered:
    case destination_state::preparing:
    case destination_state::waiting:
    case destination_state::starting:
    case destination_state::flushing:
    case destination_state::committed:
    case destination_state::seeding:
    case destination_state::leaving:
    case destination_state::over:
      return true;
    default:
      return false;
  }
}

}  // namespace

TEST_CASE("wherever a session waits for its source there is a limit",
          "[silence]") {
  for (const destination_state at : destination_states) {
    if (at == destination_state::durable) {
      continue;  // below: it depends on the stream
    }
    const auto course = destination_at(at);
    CAPTURE(name_of(at));
    for (const bool turn : {false, true}) {
      const auto limit = watch::limit_at(course, turn);
      CHECK(limit.has_value() == !is_ours(at));
    }
  }
  CHECK(watch::limit_at(destination_at(destination_state::answered), false) ==
        watch::idle_limit);
  CHECK(watch::limit_at(destination_at(destination_state::disks), true) ==
        watch::turn_limit);
  CHECK(watch::limit_at(destination_at(destination_state::greeted), false) ==
        watch::opening_limit);
}

TEST_CASE("no limit holds while the hook and xl have the rest to do",
          "[silence]") {
  auto course = destination_at(destination_state::memory);
  REQUIRE(course.on_record(record_type::disks_complete, true));
  (void)course.on_flushed();
  REQUIRE(course.at() == destination_state::durable);
  REQUIRE(watch::limit_at(course, true) == watch::turn_limit);
  (void)course.on_stream_complete();
  CHECK_FALSE(watch::limit_at(course, true));
  CHECK(course.on_gate_hook());
  CHECK_FALSE(watch::limit_at(course, true));
}

TEST_CASE("wherever a seed waits for its source there is a limit",
          "[silence][seed]") {
  using state = seed_destination_state;
  for (const state at : seed_destination_states) {
    const bool works = at == state::offered || at == state::asked ||
                       at == state::preparing || at == state::keeping;
    CAPTURE(name_of(at));
    CHECK(watch::limit_at(at).has_value() == !works);
  }
}

TEST_CASE("what is carried either way, and another limit, begin it anew",
          "[silence]") {
  const standstill::time_point start(1000s);
  standstill silence;
  CHECK_FALSE(silence.is_too_long(120s, 5, start));
  CHECK_FALSE(silence.is_too_long(120s, 5, start + 119s));
  CHECK(silence.is_too_long(120s, 5, start + 120s));
  CHECK_FALSE(silence.is_too_long(120s, 6, start + 121s));
  CHECK_FALSE(silence.is_too_long(120s, 6, start + 240s));
  CHECK(silence.is_too_long(120s, 6, start + 241s));
  // What this side does takes as long as it likes.
  CHECK_FALSE(silence.is_too_long(std::nullopt, 6, start + 242s));
  CHECK_FALSE(silence.is_too_long(std::nullopt, 6, start + 9000s));
  CHECK_FALSE(silence.is_too_long(120s, 6, start + 9001s));
  CHECK(silence.is_too_long(120s, 6, start + 9121s));
}

}  // namespace teleport
