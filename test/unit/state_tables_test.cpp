// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/state_tables_test.cpp: PROTOCOL.md says of every state which
// records it accepts; the courses are asked, and the text must say the same.
//
// `XL_TELEPORT_WRITE_TABLES=1 build/test/unit-tests '[tables]'` writes the
// tables into PROTOCOL.md, where the change is to be read before it is
// committed.

#include "test/support/state_tables.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "libteleport/wire/format.hpp"
#include "test/support/catch.hpp"
#include "test/support/course_at.hpp"
#include "test/support/destination_rules.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

constexpr const char* protocol = "libteleport/PROTOCOL.md";

std::string read_protocol() {
  std::ostringstream text;
  text << std::ifstream(protocol).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("PROTOCOL.md says which records each state accepts",
          "[session][tables]") {
  const std::string document = read_protocol();
  REQUIRE_FALSE(document.empty());
  if (std::getenv("XL_TELEPORT_WRITE_TABLES") != nullptr) {
    std::ofstream(protocol) << with_tables(document);
    FAIL("the tables were written, not compared");
  }
  for (const state_table& table : state_tables()) {
    INFO(table.name);
    CHECK(table_in(document, table.name) == table.text);
  }
}

TEST_CASE("FAIL is accepted in every state of a destination", "[session]") {
  for (const destination_state at : destination_states) {
    destination_course course = destination_at(at);
    CAPTURE(name_of(at));
    CHECK(course.on_record(record_type::fail, false));
  }
}

TEST_CASE("no state of a destination accepts what only a destination sends",
          "[session]") {
  for (const destination_state at : destination_states) {
    for (const record_row& row : record_rows) {
      destination_course course = destination_at(at);
      const auto todo = course.on_record(row.type, true);
      CAPTURE(name_of(at), row.name);
      CHECK((!todo || todo->empty() || row.by != record_sender::destination));
    }
  }
}

TEST_CASE("no record's number that is not a record's is accepted",
          "[session]") {
  for (const destination_state at : destination_states) {
    for (unsigned number = 0; number < 300; ++number) {
      destination_course course = destination_at(at);
      const auto type = static_cast<record_type>(number);
      const auto todo = course.on_record(type, true);
      CAPTURE(name_of(at), number);
      CHECK((!todo || todo->empty() ||
             is_known(static_cast<std::uint16_t>(number))));
    }
  }
}

TEST_CASE("whatever comes in whatever order, a destination keeps its rules",
          "[session]") {
  // The same search as test/fuzz/fuzz_course.cpp's, of a few thousand sessions
  // that are mostly in order: a number of a linear congruence a step.
  std::uint32_t number = 1;
  std::size_t gone_to_end = 0;
  for (unsigned session = 0; session < 4000; ++session) {
    destination_rules rules;
    for (unsigned event = 0; event < 60; ++event) {
      number = number * 1664525U + 1013904223U;
      const std::uint32_t roll = number >> 16U;
      const bool well = (roll & 31U) != 0;
      if (roll % 3 == 0) {
        rules.end_step(roll / 64, well);
        continue;
      }
      // What the state accepts, but for one in eight.
      for (std::uint16_t type = 1; type < 40; ++type) {
        const auto next = static_cast<record_type>((roll + type) % 40);
        destination_course copy = rules.course();
        if (next == record_type::fail || next == record_type::query ||
            next == record_type::seed) {
          continue;
        }
        if (roll % 8 == 1 || copy.on_record(next, true)) {
          rules.record(next, true);
          break;
        }
      }
      REQUIRE(rules.broken() == "");
    }
    gone_to_end += rules.course().succeeded() ? 1U : 0U;
  }
  CHECK(gone_to_end > 0);
}

}  // namespace teleport
