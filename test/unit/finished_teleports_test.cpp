// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/finished_teleports_test.cpp: journals and locks end with what they
// were for, and no sooner.

#include "xl-teleport/setup/finished_teleports.hpp"

#include <chrono>
#include <filesystem>
#include <string>

#include <fmt/format.h>

#include "libteleport/base/lock_file.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/arrival_fate.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

struct host {
  temp_folder folder;
  settings options;

  host() {
    options.state_path = folder.path() + "/state";
    options.run_path = folder.path() + "/run";
  }
  /// @param hours  since it was written
  [[nodiscard]] std::string write(journal_role role,
                                  journal_state state,
                                  int hours,
                                  const std::string& disks = "") const {
    static unsigned number = 0;
    journal_entry entry;
    entry.id = fmt::format("{:032x}", ++number);
    entry.role = role;
    entry.state = state;
    entry.disks = disks;
    auto entries = journal::open(options.journal_path());
    REQUIRE(entries);
    REQUIRE(entries->write(entry));
    const std::string path = entries->path_of(entry.id, role);
    fs::last_write_time(
        path, fs::file_time_type::clock::now() - std::chrono::hours(hours));
    return path;
  }
};

constexpr int long_ago = 24 * 31;

}  // namespace

TEST_CASE("what is over is removed from the journal after a month",
          "[journal]") {
  const host here;
  using role = journal_role;
  using state = journal_state;
  const auto old = {here.write(role::source, state::home, long_ago),
                    here.write(role::source, state::cleared, long_ago),
                    here.write(role::destination, state::running, long_ago),
                    here.write(role::destination, state::abandoned, long_ago)};
  const std::string young = here.write(role::source, state::home, 24 * 29);
  REQUIRE(remove_finished(here.options));
  for (const std::string& path : old) {
    CHECK_FALSE(fs::exists(path));
  }
  CHECK(fs::exists(young));
}

TEST_CASE("what somebody may still ask for is never removed from the journal",
          "[journal]") {
  const host here;
  for (const auto state :
       {journal_state::moving, journal_state::go, journal_state::moved}) {
    const auto path = here.write(journal_role::source, state, long_ago);
    REQUIRE(remove_finished(here.options));
    CHECK(fs::exists(path));
  }
  for (const auto state :
       {journal_state::building, journal_state::ready, journal_state::go}) {
    const auto path = here.write(journal_role::destination, state, long_ago);
    REQUIRE(remove_finished(here.options));
    CHECK(fs::exists(path));
  }
  for (const auto state : {journal_state::running, journal_state::abandoned}) {
    const auto path =
        here.write(journal_role::destination, state, long_ago, "{}");
    REQUIRE(remove_finished(here.options));
    CHECK(fs::exists(path));
  }
}

TEST_CASE("of many that are over the newest stay in the journal", "[journal]") {
  const host here;
  const auto older = here.write(journal_role::source, journal_state::home, 3);
  const auto newer =
      here.write(journal_role::destination, journal_state::abandoned, 2);
  const auto newest = here.write(journal_role::source, journal_state::home, 1);
  const auto begun = here.write(journal_role::source, journal_state::go, 4);
  REQUIRE(remove_finished(here.options, {std::chrono::hours(24), 2}));
  CHECK_FALSE(fs::exists(older));
  CHECK(fs::exists(newer));
  CHECK(fs::exists(newest));
  CHECK(fs::exists(begun));
}

TEST_CASE("a lock's holder says who it is, and that it runs", "[journal]") {
  const host here;
  const std::string& run = here.options.run_path;
  CHECK_FALSE(read_lock_note(run, "memory"));
  const auto held = take_lock(run, "memory");
  REQUIRE(held);
  CHECK(read_lock_note(run, "memory")->holder.empty());
  write_lock_note(*held, "web1, process 12345");
  const auto first = read_lock_note(run, "memory");
  REQUIRE(first);
  CHECK(first->holder == "web1, process 12345");
  CHECK(read_lock_note(run, "memory")->sign == first->sign);
  // The clock of a file's times has steps of some milliseconds.
  auto next = first;
  while (next && next->sign == first->sign) {
    write_lock_note(*held, "db, process 1");
    next = read_lock_note(run, "memory");
  }
  REQUIRE(next);
  CHECK(next->holder == "db, process 1");
}

TEST_CASE("the file of a lock is removed unless somebody holds it",
          "[journal]") {
  const host here;
  const std::string& run = here.options.run_path;
  const std::string id(32, 'a');
  (void)take_lock(run, id);
  (void)take_lock(run, "guest-x");
  (void)take_lock(run, "keeper");
  const auto held = take_lock(run, "guest-y");
  REQUIRE(held);
  remove_free_locks(here.options);
  CHECK_FALSE(fs::exists(run + "/" + id + ".lock"));
  CHECK_FALSE(fs::exists(run + "/guest-x.lock"));
  CHECK(fs::exists(run + "/keeper.lock"));
  CHECK(fs::exists(run + "/guest-y.lock"));
  CHECK_FALSE(take_lock(run, "guest-y"));
}

TEST_CASE("a QUERY for a teleport that was never here leaves nothing",
          "[journal]") {
  const host here;
  const std::string id(32, 'b');
  CHECK(fate_of({id, {}}, here.options) == destination_fate::uncertain);
  CHECK(fs::is_empty(here.options.journal_path()));
  CHECK(fs::is_empty(here.options.run_path));
}

}  // namespace teleport
