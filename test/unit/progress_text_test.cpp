// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/progress_text_test.cpp: the line that people watch fits, and says
// first what matters.

#include "xl-teleport/source/progress_text.hpp"

#include <string>

#include "libteleport/base/terminal.hpp"
#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "xl-teleport/setup/texts.hpp"

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
