// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/turn_queue_test.cpp: who came first goes first, unless it is dead
// or stands still.

#include "xl-teleport/destination/turn_queue.hpp"

#include <chrono>
#include <filesystem>
#include <string>

#include "libteleport/base/lock_file.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/finished_teleports.hpp"
#include "xl-teleport/setup/lock_names.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

std::string place_of_first(const temp_folder& folder) {
  std::string first;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    const std::string path = entry.path();
    first = first.empty() || path < first ? path : first;
  }
  return first;
}

}  // namespace

TEST_CASE("who came first goes first", "[turn]") {
  const temp_folder folder;
  turn_queue a(folder.path());
  turn_queue b(folder.path());
  turn_queue c(folder.path());
  CHECK(a.is_first());
  CHECK_FALSE(b.is_first());
  CHECK_FALSE(c.is_first());
  CHECK(a.is_first());
  SECTION("and then who came next") {
    a.leave();
    CHECK_FALSE(c.is_first());
    CHECK(b.is_first());
    CHECK_FALSE(a.is_first());  // at the end again
  }
  SECTION("but for one that leaves before its turn") {
    b.leave();
    a.leave();
    CHECK(c.is_first());
  }
  SECTION("but for one that has stood still for a while") {
    fs::last_write_time(
        place_of_first(folder),
        fs::file_time_type::clock::now() - std::chrono::seconds(60));
    CHECK(b.is_first());
    CHECK_FALSE(c.is_first());
    CHECK(a.is_first());  // it goes on
    CHECK_FALSE(b.is_first());
  }
}

TEST_CASE("who has had its turn sees whether anybody waits", "[turn]") {
  const temp_folder folder;
  turn_queue holder(folder.path());
  CHECK(holder.is_first());
  CHECK_FALSE(holder.others_wait());
  holder.leave();
  CHECK_FALSE(holder.others_wait());
  turn_queue next(folder.path());
  CHECK(next.is_first());
  CHECK(holder.others_wait());
  SECTION("one that stands still does not") {
    fs::last_write_time(
        place_of_first(folder),
        fs::file_time_type::clock::now() - std::chrono::seconds(60));
    CHECK_FALSE(holder.others_wait());
  }
  SECTION("one that gave up does not") {
    next.leave();
    CHECK_FALSE(holder.others_wait());
  }
}

TEST_CASE("a process that ended has left the queue", "[turn]") {
  const temp_folder folder;
  const std::string place = std::string(queue_lock_prefix) + "0-1";
  (void)take_lock(folder.path(), place);
  turn_queue next(folder.path());
  CHECK(next.is_first());
  settings options;
  options.run_path = folder.path();
  remove_free_locks(options);
  CHECK_FALSE(fs::exists(folder / (place + ".lock")));
  CHECK_FALSE(fs::is_empty(folder.path()));
  next.leave();
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("without a folder there is no queue", "[turn]") {
  turn_queue alone("/dev/null/run");
  CHECK(alone.is_first());
}

}  // namespace teleport
