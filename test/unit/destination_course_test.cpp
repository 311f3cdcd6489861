// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/destination_course_test.cpp: which record a destination accepts
// when, and what it promises before it says so. PROTOCOL.md, sections 3.6, 4.7
// and 6.

#include "libteleport/session/destination_course.hpp"

#include <algorithm>
#include <cstdint>

#include "test/support/catch.hpp"
#include "test/support/course_at.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

using state = destination_state;
using action = destination_course::action;
using actions = destination_course::actions;

constexpr bool proven = true;
constexpr bool not_proven = false;

/// Refused, and the state is as it was.
void check_refused(destination_course& course,
                   record_type type,
                   bool all_proven = proven) {
  const state before = course.at();
  const auto todo = course.on_record(type, all_proven);
  CAPTURE(name_of(before), static_cast<unsigned>(type));
  REQUIRE_FALSE(todo);
  CHECK(todo.error().code == errc::protocol);
  CHECK(course.at() == before);
}

bool has(const actions& todo, destination_course::step wanted) {
  return std::ranges::find(todo, wanted) != todo.end();
}

}  // namespace

TEST_CASE("a source offers a few times and no more", "[session]") {
  destination_course course;
  REQUIRE(course.on_record(record_type::hello, not_proven));
  for (int i = 0; i < destination_course::most_offers; ++i) {
    REQUIRE(course.on_record(record_type::offer, not_proven));
    // None while the last is not answered.
    check_refused(course, record_type::offer);
    CHECK(course.on_considered(false) == actions{action::send_answer});
  }
  check_refused(course, record_type::offer);
  CHECK(has(course.on_refused(), action::send_fail));
}

TEST_CASE("a teleport's destination goes through its states in their order",
          "[session]") {
  destination_course course;
  CHECK(course.on_record(record_type::hello, not_proven).value() ==
        actions{action::greet});
  CHECK(course.on_record(record_type::offer, not_proven).value() ==
        actions{action::consider});
  CHECK(course.on_considered(true) == actions{action::send_answer});
  CHECK(course.on_record(record_type::prepare, not_proven).value() ==
        actions{action::prepare});
  CHECK(course.on_prepared() == actions{action::send_prepared});
  for (const auto type : {record_type::extents,
                          record_type::block_digests,
                          record_type::extent_data}) {
    CHECK(course.on_record(type, not_proven).value() ==
          actions{action::rebuild});
  }
  CHECK(course.on_record(record_type::ask_turn, proven).value() ==
        actions{action::take_turn});
  CHECK(course.on_record(record_type::extent_data, proven).value() ==
        actions{action::rebuild});
  CHECK(course.on_turn() == actions{action::send_turn});
  CHECK(course.on_record(record_type::extent_data, proven).value() ==
        actions{action::rebuild});
  CHECK(course.on_record(record_type::guest_config, proven).value() ==
        actions{action::start_xl});
  course.on_xl_started();
  CHECK(course.on_record(record_type::stream_piece, proven).value() ==
        actions{action::feed_xl});
  CHECK(course.on_record(record_type::extent_data, proven).value() ==
        actions{action::rebuild});
  CHECK(course.on_record(record_type::disks_complete, proven).value() ==
        actions{action::flush});
  CHECK(course.on_flushed() == actions{record_type::disks_durable});
  CHECK(course.on_record(record_type::stream_piece, proven).value() ==
        actions{action::feed_xl});
  CHECK(course.on_stream_complete() == actions{action::run_gate_hook});
  CHECK(course.on_gate_hook().has_value());
  CHECK(course.on_built() == actions{action::journal_ready});
  CHECK(course.on_journalled(journal_state::ready, true) ==
        actions{record_type::guest_received});
  CHECK(course.on_record(record_type::go, proven).value() ==
        actions{action::journal_go});
  CHECK(course.on_journalled(journal_state::go, true) ==
        actions{action::unpause});
  CHECK(course.on_started(true) == actions{action::journal_running});
  CHECK(course.on_journalled(journal_state::running, true) ==
        actions{action::send_go_result, action::hand_disks_to_guest});
  CHECK(course.guest_runs());
  CHECK(course.on_disks_left() == actions{action::end});
  CHECK(course.succeeded());
}

TEST_CASE("nothing about disks is accepted once they are complete",
          "[session]") {
  const state at =
      GENERATE(state::flushing, state::durable, state::ready, state::committed);
  destination_course course = destination_at(at);
  REQUIRE(course.at() == at);
  check_refused(course, record_type::extents);
  check_refused(course, record_type::block_digests);
  check_refused(course, record_type::extent_data);
}

TEST_CASE("DISKS_COMPLETE comes once", "[session]") {
  destination_course course = destination_at(state::memory);
  REQUIRE(course.on_record(record_type::disks_complete, proven));
  check_refused(course, record_type::disks_complete);
  REQUIRE_FALSE(course.on_flushed().empty());
  check_refused(course, record_type::disks_complete);
  destination_course given = destination_at(state::committed);
  check_refused(given, record_type::disks_complete);
}

TEST_CASE("DISKS_COMPLETE is refused while an extent is not proven",
          "[session]") {
  destination_course course = destination_at(state::memory);
  check_refused(course, record_type::disks_complete, not_proven);
  CHECK(course.on_record(record_type::disks_complete, proven).value() ==
        actions{action::flush});
}

TEST_CASE("a round that comes during the last flush cannot go unflushed",
          "[session]") {
  destination_course course = destination_at(state::memory);
  REQUIRE(course.on_record(record_type::disks_complete, proven));
  check_refused(course, record_type::extent_data);
  CHECK(course.on_refused() == actions{action::send_fail, action::destroy});
  CHECK(course.on_flushed().empty());
  CHECK_FALSE(course.on_gate_hook());
}

TEST_CASE("DISKS_DURABLE is sent after the flush and only then", "[session]") {
  destination_course course = destination_at(state::memory);
  CHECK(course.on_flushed().empty());
  const auto todo = course.on_record(record_type::disks_complete, proven);
  CHECK_FALSE(has(todo.value(), record_type::disks_durable));
  CHECK(has(course.on_flushed(), record_type::disks_durable));
  CHECK(course.on_flushed().empty());
}

TEST_CASE("a second HELLO is a record out of time, not another version",
          "[session]") {
  for (const state at : destination_states) {
    if (at == state::connected || at == state::leaving || at == state::over) {
      continue;
    }
    destination_course course = destination_at(at);
    check_refused(course, record_type::hello);
    const auto error = course.on_record(record_type::hello, proven).error();
    CHECK(error.context.find("version") == std::string::npos);
    CHECK(error.context.find("HELLO") != std::string::npos);
    CHECK(error.context.find(name_of(at)) != std::string::npos);
  }
}

TEST_CASE("GUEST_CONFIG is refused while an extent is not proven",
          "[session]") {
  destination_course course = destination_at(state::turn);
  check_refused(course, record_type::guest_config, not_proven);
  CHECK(course.on_record(record_type::guest_config, proven));
}

TEST_CASE("GUEST_CONFIG is refused before the turn was given", "[session]") {
  for (const state at : {state::disks, state::waiting}) {
    destination_course course = destination_at(at);
    check_refused(course, record_type::guest_config);
    CHECK(has(course.on_refused(), action::destroy));
  }
}

TEST_CASE("a turn is asked for once, and when all is proven", "[session]") {
  destination_course course = destination_at(state::disks);
  check_refused(course, record_type::ask_turn, not_proven);
  CHECK(course.on_record(record_type::ask_turn, proven).value() ==
        actions{action::take_turn});
  CHECK(course.at() == state::waiting);
  check_refused(course, record_type::ask_turn);
  CHECK(course.on_last_proof().empty());
  CHECK(course.on_turn() == actions{action::send_turn});
  CHECK(course.at() == state::turn);
  check_refused(course, record_type::ask_turn);
  CHECK(course.on_turn().empty());
}

TEST_CASE("a source that takes no turns gets one with its last proof",
          "[session]") {
  destination_course course = destination_at(state::disks);
  CHECK(course.on_last_proof() == actions{action::take_turn});
  CHECK(course.at() == state::waiting);
  check_refused(course, record_type::guest_config);
  CHECK(course.on_last_proof().empty());
  CHECK(course.on_turn() == actions{action::send_turn});
  // The proofs of rounds end no bulk.
  CHECK(course.on_last_proof().empty());
  CHECK(course.on_record(record_type::guest_config, proven));
}

TEST_CASE("a turn that comes after a failure is not given", "[session]") {
  destination_course course = destination_at(state::waiting);
  CHECK(has(course.on_failure(), action::destroy));
  CHECK(course.on_turn().empty());
  CHECK(course.on_last_proof().empty());
}

TEST_CASE(
    "the stream's END is given once the stream is in, the disks durable, "
    "and the hook agrees",
    "[session]") {
  const bool stream_first = GENERATE(true, false);
  destination_course course = destination_at(state::memory);
  CHECK_FALSE(course.on_gate_hook());
  if (stream_first) {
    CHECK(course.on_stream_complete().empty());
    CHECK_FALSE(course.on_gate_hook());
    REQUIRE(course.on_record(record_type::disks_complete, proven));
    CHECK_FALSE(course.on_gate_hook());
    CHECK(course.on_flushed() ==
          actions{record_type::disks_durable, action::run_gate_hook});
  } else {
    REQUIRE(course.on_record(record_type::disks_complete, proven));
    CHECK(course.on_flushed() == actions{record_type::disks_durable});
    CHECK_FALSE(course.on_gate_hook());
    CHECK(course.on_stream_complete() == actions{action::run_gate_hook});
  }
  CHECK(course.on_gate_hook());
  CHECK_FALSE(course.on_gate_hook());
}

TEST_CASE("a guest that is built before the stream's END was given is refused",
          "[session]") {
  destination_course course = destination_at(state::durable);
  CHECK(course.on_built() == actions{action::send_fail, action::destroy});
}

TEST_CASE("GUEST_RECEIVED is sent when `ready` is journalled, and not before",
          "[session]") {
  destination_course course = destination_at(state::durable);
  REQUIRE(course.on_gate_hook());
  CHECK(course.on_built() == actions{action::journal_ready});
  check_refused(course, record_type::go);
  SECTION("journalled") {
    CHECK(course.on_journalled(journal_state::ready, true) ==
          actions{record_type::guest_received});
    CHECK(course.on_record(record_type::go, proven).value() ==
          actions{action::journal_go});
  }
  SECTION("not journalled") {
    CHECK(course.on_journalled(journal_state::ready, false) ==
          actions{action::send_fail, action::destroy});
    CHECK(course.on_record(record_type::go, proven).value().empty());
  }
}

TEST_CASE("xl has its permission only once `go` is journalled", "[session]") {
  destination_course course = destination_at(state::ready);
  CHECK(course.on_record(record_type::go, proven).value() ==
        actions{action::journal_go});
  check_refused(course, record_type::go);
  SECTION("journalled") {
    CHECK(course.on_journalled(journal_state::go, true) ==
          actions{action::unpause});
    check_refused(course, record_type::go);
  }
  SECTION("not journalled: the failed write may have left `go`") {
    CHECK(course.on_journalled(journal_state::go, false) ==
          actions{action::send_fail, action::destroy});
    CHECK(course.on_destroyed(true) == actions{action::journal_abandoned});
    CHECK(course.on_journalled(journal_state::abandoned, true) ==
          actions{action::put_disks_back});
    CHECK(course.on_disks_left() == actions{action::end});
    CHECK_FALSE(course.succeeded());
  }
}

TEST_CASE("GO_RESULT says that the guest does not run once that is journalled",
          "[session]") {
  destination_course course = destination_at(state::committed);
  CHECK(course.on_started(false) == actions{action::journal_abandoned});
  CHECK_FALSE(course.guest_runs());
  SECTION("journalled") {
    CHECK(course.on_journalled(journal_state::abandoned, true) ==
          actions{action::send_go_result, action::put_disks_back});
  }
  SECTION("not journalled: the source asks") {
    CHECK(course.on_journalled(journal_state::abandoned, false) ==
          actions{action::end});
  }
}

TEST_CASE("that the guest runs is told even when it could not be journalled",
          "[session]") {
  destination_course course = destination_at(state::committed);
  REQUIRE(course.on_started(true) == actions{action::journal_running});
  CHECK(course.on_journalled(journal_state::running, false) ==
        actions{action::send_go_result, action::hand_disks_to_guest});
}

TEST_CASE("a failure before GO destroys what was built, after it nothing",
          "[session]") {
  for (const state at : destination_states) {
    destination_course course = destination_at(at);
    CAPTURE(name_of(at));
    REQUIRE(course.at() == at);
    const auto todo = course.on_failure();
    if (at == state::leaving || at == state::over || at == state::committed) {
      CHECK(todo.empty());
      CHECK(course.at() == at);
      continue;
    }
    CHECK(todo == actions{action::send_fail, action::destroy});
    CHECK(course.on_failure().empty());
    CHECK(course.on_destroyed(true) == actions{action::journal_abandoned});
  }
}

TEST_CASE("nothing is promised while xl is still there", "[session]") {
  destination_course course = destination_at(state::ready);
  REQUIRE_FALSE(course.on_failure().empty());
  CHECK(course.on_destroyed(false) == actions{action::end});
  CHECK_FALSE(course.succeeded());
}

TEST_CASE("a journal write that ends after the failure changes nothing",
          "[session]") {
  destination_course course = destination_at(state::ready);
  REQUIRE(course.on_record(record_type::go, proven));
  REQUIRE_FALSE(course.on_failure().empty());
  CHECK(course.on_journalled(journal_state::go, true).empty());
  REQUIRE(course.on_destroyed(true) == actions{action::journal_abandoned});
  CHECK(course.on_journalled(journal_state::go, true).empty());
  CHECK(course.on_journalled(journal_state::abandoned, true) ==
        actions{action::put_disks_back});
}

TEST_CASE("a record that is refused after GO ends the link and not the guest",
          "[session]") {
  destination_course course = destination_at(state::committed);
  check_refused(course, record_type::extent_data);
  CHECK(course.on_refused() == actions{action::send_fail, action::close_link});
  CHECK(course.on_started(true) == actions{action::journal_running});
}

TEST_CASE("xl that dies after GO leaves the answer to whoever is asked",
          "[session]") {
  destination_course course = destination_at(state::committed);
  CHECK(course.on_xl_failed() == actions{action::end});
  CHECK(course.on_xl_failed().empty());
  CHECK(course.on_started(true).empty());
  CHECK_FALSE(course.succeeded());
  destination_course before = destination_at(state::ready);
  CHECK(before.on_xl_failed() == actions{action::send_fail, action::destroy});
}

TEST_CASE("an OFFER with problems may be followed by another", "[session]") {
  destination_course course = destination_at(state::offered);
  CHECK(course.on_considered(false) == actions{action::send_answer});
  check_refused(course, record_type::prepare);
  CHECK(course.on_record(record_type::offer, not_proven).value() ==
        actions{action::consider});
}

TEST_CASE("a source of another version is answered a QUERY and nothing else",
          "[session]") {
  destination_course course = destination_at(destination_state::foreign);
  CHECK_FALSE(course.on_record(record_type::offer, false));
  CHECK_FALSE(course.on_record(record_type::seed, false));
  const auto asked = course.on_record(record_type::query, false);
  REQUIRE(asked);
  CHECK(*asked == actions{action::answer_query});
  CHECK(course.on_query_answered() == actions{action::end});
}

TEST_CASE("a QUERY and a seed end the session well", "[session]") {
  destination_course asked = destination_at(state::asked);
  CHECK(asked.on_query_answered() == actions{action::end});
  CHECK(asked.succeeded());
  destination_course seeded = destination_at(state::seeding);
  CHECK(seeded.on_seeded() == actions{action::end});
  CHECK(seeded.succeeded());
}

}  // namespace teleport
