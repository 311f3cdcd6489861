// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/progress_text_test.cpp: the line that people watch fits, and says
// first what matters.

#include "xl-teleport/source/progress_text.hpp"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/terminal.hpp"
#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "xl-teleport/setup/texts.hpp"
#include "xl-teleport/source/pass_progress.hpp"

namespace teleport {

namespace {

/// The longest that a move has to say.
progress overnight() {
  progress now;
  now.phase = move_phase::bulk;
  now.done = 123_GiB;
  now.total = 500_GiB;
  now.sent = 45_GiB;
  now.rate = 11.3e6;
  now.found = 0.83;
  now.eta_seconds = 54321;
  return now;
}

}  // namespace

TEST_CASE("a line of progress fits 80 columns, and 40", "[cli]") {
  CHECK(progress_line(overnight(), 3661, 200) ==
        "bulk   24.6 %  of 500.0 GiB  90.4 Mbit/s  15:05:21 left  "
        "83 % found there  45.0 GiB sent  1:01:01 so far");
  CHECK(progress_line(overnight(), 3661, 79) ==
        "bulk   24.6 %  of 500.0 GiB  90.4 Mbit/s  15:05:21 left  "
        "83 % found there");
  CHECK(progress_line(overnight(), 3661, 39) == "bulk   24.6 %  15:05:21 left");
  auto waiting = overnight();
  waiting.phase = move_phase::memory;
  waiting.waits_for_turn = true;
  for (std::size_t columns = 0; columns < 140; ++columns) {
    CHECK(progress_line(waiting, 3661, columns).size() <= columns);
  }
}

TEST_CASE("a line of progress says nothing that is not known", "[cli]") {
  CHECK(progress_line({}, 0, 79) == "connecting  0:00:00 so far");
  auto growing = overnight();
  growing.phase = move_phase::memory;
  growing.done = growing.total + 1;
  growing.eta_seconds.reset();
  growing.found.reset();
  CHECK(progress_line(growing, 7, 79) ==
        "memory  100.0 %  of 500.0 GiB  90.4 Mbit/s  45.0 GiB sent  "
        "0:00:07 so far");
}

TEST_CASE("each of several disks is told, where there is room", "[cli]") {
  auto now = overnight();
  now.found.reset();
  now.disks = {{"xvda", 100, 400}, {"xvdb", 0, 7}, {"xvdc", 0, 0}};
  const std::string line = progress_line(now, 3661, 200);
  CHECK(line ==
        "bulk   24.6 %  of 500.0 GiB  90.4 Mbit/s  15:05:21 left  "
        "xvda 25 %, xvdb 0 %, xvdc 100 %  45.0 GiB sent  1:01:01 so far");
  CHECK(progress_line(now, 3661, 79) ==
        "bulk   24.6 %  of 500.0 GiB  90.4 Mbit/s  15:05:21 left  "
        "45.0 GiB sent");
  CHECK(to_json(now)["disks"].dump() ==
        R"([{"done":100,"total":400,"vdev":"xvda"},)"
        R"({"done":0,"total":7,"vdev":"xvdb"},)"
        R"({"done":0,"total":0,"vdev":"xvdc"}])");
  CHECK_FALSE(to_json(overnight()).contains("disks"));
}

TEST_CASE("a pass is the sum of its disks", "[cli]") {
  std::vector<guest_disk> disks(2);
  disks[0].vdev = "xvda";
  disks[1].vdev = "xvdb";
  progress now;
  now.phase = move_phase::bulk;
  add_pass(now, {{30, 100}, {10, 300}}, disks, 10);
  CHECK(now.done == 40);
  CHECK(now.total == 400);
  CHECK(now.found == 0.75);
  REQUIRE(now.disks.size() == 2);
  CHECK(now.disks[1].vdev == "xvdb");
  CHECK(now.disks[1].done == 10);
  CHECK(now.disks[1].total == 300);
  progress alone;
  disks.pop_back();
  add_pass(alone, {{30, 100}}, disks, 10);
  CHECK(alone.done == 30);
  CHECK(alone.disks.empty());
  CHECK_FALSE(alone.found);
}

TEST_CASE("a line that overwrites another ends within the terminal", "[cli]") {
  CHECK(over_line("web1 bulk", 20) == "\rweb1 bulk\x1b[K");
  CHECK(over_line("web1 bulk", 4) == "\rweb1\x1b[K");
  CHECK(over_line("", 0) == "\r\x1b[K");
  // No character is cut: "caf\u00e9" has five bytes.
  CHECK(over_line("caf\xc3\xa9", 5) == "\rcaf\xc3\xa9\x1b[K");
  CHECK(over_line("caf\xc3\xa9", 4) == "\rcaf\x1b[K");
  CHECK(over_line("\xe2\x82\xac", 2) == "\r\x1b[K");
}

TEST_CASE("times are read as a clock's", "[cli]") {
  CHECK(clock_text(0) == "0:00:00");
  CHECK(clock_text(59.6) == "0:01:00");
  CHECK(clock_text(54321) == "15:05:21");
  CHECK(clock_text(-1) == "0:00:00");
}

TEST_CASE("of a path that is too long the end is shown", "[cli]") {
  CHECK(end_of_path("/srv/images/web1.img", 20) == "/srv/images/web1.img");
  CHECK(end_of_path("/srv/images/web1.img", 11) == "...web1.img");
  CHECK(end_of_path("/srv/\xc3\xa4.img", 8) == "....img");
  CHECK(end_of_path("/srv/web1", 0) == "...");
}

}  // namespace teleport
