// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/fate_test.cpp: what a destination answers to a QUERY, and what it
// does before it answers. PROTOCOL.md, section 6.6.

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/session/fate_course.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/arrival_fate.hpp"

namespace teleport {

namespace {

using step = fate_course::step;
using seen = fate_course::seen_guest;

constexpr const char* id = "0123456789abcdef0123456789abcdef";

fate_course reading_journal() {
  fate_course course;
  course.on_lock(true);
  REQUIRE(course.next() == step::read_journal);
  return course;
}

struct host {
  temp_folder folder;
  settings options;

  host() {
    options.state_path = folder.path() + "/state";
    options.run_path = folder.path() + "/run";
  }
  void journal_as(journal_state state) const {
    journal_entry entry;
    entry.id = id;
    entry.role = journal_role::destination;
    entry.state = state;
    auto entries = journal::open(options.journal_path());
    REQUIRE(entries);
    REQUIRE(entries->write(entry));
  }
  [[nodiscard]] std::optional<journal_state> journalled() const {
    const auto entries = journal::open(options.journal_path());
    REQUIRE(entries);
    const auto entry = entries->read(id, journal_role::destination);
    REQUIRE(entry);
    return *entry ? std::optional((*entry)->state) : std::nullopt;
  }
};

}  // namespace

TEST_CASE("the journal is read once the lock is held, and not before",
          "[session]") {
  fate_course course;
  CHECK(course.next() == step::lock);
  course.on_journal(journal_state::ready);
  course.on_journalled(true);
  course.on_xen(seen::absent);
  CHECK(course.next() == step::lock);
  course.on_lock(false);
  CHECK(course.next() == step::answer);
  CHECK(course.fate() == destination_fate::in_progress);
}

TEST_CASE("abandoned is answered once it is journalled", "[session]") {
  const std::optional<journal_state> entry =
      GENERATE(std::optional(journal_state::building),
               std::optional(journal_state::ready),
               std::optional(journal_state::abandoned));
  const bool durable = GENERATE(true, false);
  fate_course course = reading_journal();
  course.on_journal(entry);
  REQUIRE(course.next() == step::journal_abandoned);
  course.on_journalled(durable);
  CHECK(course.next() == step::answer);
  CHECK(course.fate() == (durable ? destination_fate::abandoned
                                  : destination_fate::in_progress));
}

TEST_CASE("after GO, or with the journal lost, the answer is what Xen has",
          "[session]") {
  fate_course course = reading_journal();
  const auto entry = GENERATE(std::optional(journal_state::go),
                              std::optional<journal_state>());
  course.on_journal(entry);
  REQUIRE(course.next() == step::look_at_xen);
  SECTION("it runs") {
    course.on_xen(seen::running);
    if (entry) {
      REQUIRE(course.next() == step::journal_running);
      course.on_journalled(GENERATE(true, false));
    }
    CHECK(course.fate() == destination_fate::running);
  }
  SECTION("it is paused") {
    course.on_xen(seen::paused);
    CHECK(course.fate() == destination_fate::paused);
  }
  SECTION("nobody knows yet") {
    course.on_xen(seen::unknown);
    CHECK(course.fate() == destination_fate::in_progress);
  }
  SECTION("it is not there") {
    course.on_xen(seen::absent);
    CHECK(course.fate() == destination_fate::uncertain);
  }
  CHECK(course.next() == step::answer);
}

TEST_CASE("a QUERY with a number that nobody knows leaves nothing behind",
          "[session][query]") {
  const host here;
  const auto files = [](const std::string& folder) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& one :
         std::filesystem::directory_iterator(folder)) {
      ++count;
    }
    return count;
  };
  for (const char* uuid : {"", "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a11"}) {
    (void)fate_of({id, uuid}, here.options);
    CHECK(files(here.options.journal_path()) == 0);
    CHECK(files(here.options.run_path) == 0);
  }
}

TEST_CASE("a lock whose file was removed is nobody's", "[session][query]") {
  const temp_folder folder;
  auto held = take_lock(folder.path(), "one");
  REQUIRE(held);
  CHECK_FALSE(take_lock(folder.path(), "one"));
  remove_lock(folder.path(), "one", std::move(*held));
  CHECK(std::filesystem::is_empty(folder.path()));
  const auto again = take_lock(folder.path(), "one");
  REQUIRE(again);
  CHECK_FALSE(take_lock(folder.path(), "one"));
}

TEST_CASE("a journal that cannot be read promises nothing", "[session]") {
  fate_course course = reading_journal();
  course.on_journal_unreadable();
  CHECK(course.next() == step::answer);
  CHECK(course.fate() == destination_fate::uncertain);
}

TEST_CASE("a QUERY promises nothing while the receiving process lives",
          "[session]") {
  const host here;
  here.journal_as(journal_state::ready);
  {
    const auto session = take_lock(here.options.run_path, id);
    REQUIRE(session);
    CHECK(fate_of({id, {}}, here.options) == destination_fate::in_progress);
    CHECK(here.journalled() == journal_state::ready);
  }
  CHECK(fate_of({id, {}}, here.options) == destination_fate::abandoned);
  CHECK(here.journalled() == journal_state::abandoned);
}

TEST_CASE("a host without an entry promises nothing, and writes none",
          "[session]") {
  const host here;
  CHECK(fate_of({id, {}}, here.options) == destination_fate::uncertain);
  CHECK(here.journalled() == std::nullopt);
}

TEST_CASE("a guest that was journalled as running ran", "[session]") {
  const host here;
  here.journal_as(journal_state::running);
  CHECK(fate_of({id, {}}, here.options) == destination_fate::running);
  CHECK(here.journalled() == journal_state::running);
}

}  // namespace teleport
