// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/evacuate_run_test.cpp: whole evacuations, with a program in
// xl-teleport's place that moves a file from one folder to another.

#include <filesystem>
#include <fstream>

#include <sys/stat.h>

#include "test/support/catch.hpp"
#include "test/support/evacuation_world.hpp"
#include "test/support/print_error.hpp"
#include "tools/evacuate/evacuation_run.hpp"

namespace teleport::evacuation {

TEST_CASE("all guests are moved, recorded, and known to be away",
          "[evacuate]") {
  world all;
  all.add_guest("a");
  all.add_guest("b");
  all.options_.parallel = 2;
  CHECK(all.evacuate() == exit_code::all_moved);
  CHECK(all.is_at("host2", "a"));
  CHECK(all.is_at("host2", "b"));
  CHECK(all.events("plan").size() == 2);
  CHECK(all.events("moved").size() == 2);
  CHECK(all.events("moved")[1]["ended"] == 2);
  CHECK(all.events("progress").empty());
  const auto kept = record::open(all.folder_ / "state");
  REQUIRE(kept);
  CHECK(kept->away()->size() == 2);
}

TEST_CASE("nobody here is nothing to do, and no failure", "[evacuate]") {
  world all;
  CHECK(all.evacuate() == exit_code::all_moved);
  all.options_.guests = {"a"};
  CHECK(all.evacuate() == exit_code::nothing_done);
  CHECK(all.fate_of("a") == "gone");
}

TEST_CASE("what failed once succeeds at the end, and stops nobody",
          "[evacuate]") {
  world all;
  all.add_guest("a");
  all.add_guest("b");
  all.write("fail/a", "1");
  CHECK(all.evacuate() == exit_code::all_moved);
  CHECK(all.log() == "a host2\nb host2\na host2\n");
  REQUIRE(all.events("failed").size() == 1);
  CHECK(all.events("failed")[0]["again"] == true);
  CHECK(all.events("failed")[0]["sentence"] == "the link is lost");
}

TEST_CASE("what fails twice stays, is named, and is not away", "[evacuate]") {
  world all;
  all.add_guest("a");
  all.add_guest("b");
  all.write("at_start/a", "report 'no way' ''; exit 3\n");
  CHECK(all.evacuate() == exit_code::some_stayed);
  CHECK(all.fate_of("a") == "failed");
  CHECK(all.fate_of("b") == "moved");
  CHECK(all.is_at("host1", "a"));
  const auto kept = record::open(all.folder_ / "state");
  REQUIRE(kept);
  CHECK(kept->away()->size() == 1);
}

TEST_CASE(
    "a guest that cannot be moved stays, the others go, unless it is all "
    "or nothing",
    "[evacuate]") {
  world all;
  all.add_guest("a");
  all.add_guest("b");
  all.write("problem/a", "");
  all.options_.dry_run = true;
  CHECK(all.evacuate() == exit_code::nothing_done);
  all.options_.dry_run = false;
  all.options_.all_or_nothing = true;
  CHECK(all.evacuate() == exit_code::nothing_done);
  CHECK(all.is_at("host1", "b"));
  CHECK(all.events("problem").size() == 1);
  CHECK(all.events("start").empty());
  all.options_.all_or_nothing = false;
  CHECK(all.evacuate() == exit_code::some_stayed);
  CHECK(all.is_at("host1", "a"));
  CHECK(all.is_at("host2", "b"));
}

TEST_CASE("a dry run touches nothing and records nothing", "[evacuate]") {
  world all;
  all.add_guest("a");
  all.options_.dry_run = true;
  CHECK(all.evacuate() == exit_code::all_moved);
  CHECK(all.log().empty());
  CHECK(all.events("plan").empty());
  CHECK(all.is_at("host1", "a"));
}

TEST_CASE("a guest that shut down meanwhile is left out", "[evacuate]") {
  world all;
  all.add_guest("a");
  all.add_guest("b");
  // b goes before its turn, a in the midst of its teleport.
  all.write(
      "at_start/a",
      "rm \"$world/host1/a\" \"$world/host1/b\"; report gone ''; exit 1\n");
  CHECK(all.evacuate() == exit_code::all_moved);
  CHECK(all.fate_of("a") == "gone");
  CHECK(all.fate_of("b") == "gone");
  CHECK(all.log() == "a host2\n");
}

TEST_CASE("who cannot be looked for is not taken for gone", "[evacuate]") {
  world all;
  all.add_guest("a");
  all.add_guest("b");
  // Xen does not answer from the midst of the first teleport on.
  all.write("at_start/a", ": > \"$world/blind\"; report 'no way' ''; exit 1\n");
  CHECK(all.evacuate() == exit_code::some_stayed);
  CHECK(all.fate_of("a") == "failed");
  CHECK(all.fate_of("b") == "failed");
  CHECK(all.log() == "a host2\n");
  CHECK(all.events("gone").empty());
}

TEST_CASE("who moved and cannot be looked for is not known to be away",
          "[evacuate]") {
  world all;
  all.add_guest("a");
  all.write("at_start/a", ": > \"$world/blind\"\n");
  CHECK(all.evacuate() == exit_code::uncertain);
  CHECK(all.fate_of("a") == "uncertain");
}

TEST_CASE("of whom it is not known where it runs, a person must look",
          "[evacuate]") {
  world all;
  all.add_guest("a");
  all.write("fail/a", "5");
  CHECK(all.evacuate() == exit_code::uncertain);
  CHECK(all.fate_of("a") == "uncertain");
  CHECK(all.events("start").size() == 1);
}

TEST_CASE("what was left behind is told", "[evacuate]") {
  world all;
  all.add_guest("a");
  all.write("at_start/a",
            "mv \"$world/host1/a\" \"$world/host2\"; report 'a disk' ''; "
            "exit 4\n");
  CHECK(all.evacuate() == exit_code::not_cleared);
  CHECK(all.fate_of("a") == "not_cleared");
}

TEST_CASE("who is said to have moved and is still here is not believed",
          "[evacuate]") {
  world all;
  all.add_guest("a");
  all.write("at_start/a", "exit 0\n");
  CHECK(all.evacuate() == exit_code::uncertain);
}

TEST_CASE("nothing begins when the window is closed", "[evacuate]") {
  world all;
  all.add_guest("a");
  all.options_.window = read_window("04:00-05:00").value();
  CHECK(all.evacuate() == exit_code::nothing_done);
  CHECK(all.fate_of("a") == "not_started");
  CHECK(all.log().empty());
}

TEST_CASE("when the window closes what runs is finished, the rest stays",
          "[evacuate]") {
  world all;
  for (const char* name : {"a", "b", "c"}) {
    all.add_guest(name);
  }
  all.options_.window = read_window("02:00-04:00").value();
  all.write("at_start/b", ": > \"$world/late\"\n");
  all.clock_ = [&all] {
    return std::chrono::hours(fs::exists(all.folder_ / "late") ? 4 : 3);
  };
  CHECK(all.evacuate() == exit_code::some_stayed);
  CHECK(all.fate_of("a") == "moved");
  CHECK(all.fate_of("b") == "moved");
  CHECK(all.fate_of("c") == "not_started");
  CHECK(all.events("window_closed").size() == 1);
}

TEST_CASE("SIGTERM cancels what runs, and each guest stays", "[evacuate]") {
  world all;
  all.add_guest("a");
  all.add_guest("b");
  REQUIRE(::mkfifo((all.folder_ / "started").c_str(), 0600) == 0);
  REQUIRE(::mkfifo((all.folder_ / "never").c_str(), 0600) == 0);
  all.write("at_start/a",
            ": > \"$world/started\"; read x <> \"$world/never\"\n");
  all.before_ = [&](event_loop& loop, evacuation_run& run) {
    loop.work(
        [&] {
          std::ifstream started(all.folder_ / "started");
          return started.is_open();
        },
        [&run](bool) { run.stop(); });
  };
  CHECK(all.evacuate() == exit_code::some_stayed);
  CHECK(all.fate_of("a") == "failed");
  CHECK(all.fate_of("b") == "not_started");
  REQUIRE(all.events("failed").size() == 1);
  CHECK(all.events("failed")[0]["sentence"] == "cancelled");
  CHECK(all.events("failed")[0]["again"] == false);
}

TEST_CASE("all at once send no faster than the evacuation may", "[evacuate]") {
  world all;
  all.options_.parallel = 4;
  all.options_.bwlimit = 10'000'000;
  all.add_guest("a");
  all.add_guest("b");
  for (const char* name : {"at_start/a", "at_start/b"}) {
    all.write(name, "echo \"$words\" >> \"$world/words\"\n");
  }
  REQUIRE(all.evacuate() == exit_code::all_moved);
  std::ifstream words(all.folder_ / "words");
  std::string line;
  unsigned lines = 0;
  for (; std::getline(words, line); ++lines) {
    CHECK_THAT(line, test::contains_text("--bwlimit 5000kB --"));
  }
  CHECK(lines == 2);
}

TEST_CASE("a run that goes on counts what moved before", "[evacuate]") {
  world all;
  all.add_guest("b");
  all.options_.guests = {"a", "b", "c"};
  past_run past;
  past.any = true;
  past.over = false;
  past.moved = {{"a", "11111111-0000-0000-0000-000000000000", "host2"}};
  CHECK(all.evacuate(past) == exit_code::all_moved);
  CHECK(all.events("resumed").size() == 1);
  CHECK(all.fate_of("a") == "moved");
  CHECK(all.fate_of("b") == "moved");
  CHECK(all.fate_of("c") == "gone");
}

TEST_CASE("a program that dies is a failure like another", "[evacuate]") {
  world all;
  all.add_guest("a");
  all.write("at_start/a", "kill -KILL $$\n");
  CHECK(all.evacuate() == exit_code::some_stayed);
  CHECK(all.events("failed").size() == 2);
  CHECK(all.events("failed")[0]["sentence"] ==
        "the teleport was ended by signal 9");
}

TEST_CASE("without xl-teleport all is told and nothing done", "[evacuate]") {
  world all;
  all.add_guest("a");
  fs::remove(all.folder_ / "xl-teleport");
  CHECK(all.evacuate() == exit_code::nothing_done);
  REQUIRE(all.events("problem").size() == 1);
  CHECK(all.events("problem")[0]["code"] == "preflight");
}

}  // namespace teleport::evacuation
