// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/evacuate_faults_test.cpp: what an evacuation meets at night: guests
// that go at the wrong moment or are none of its business, and names that are
// not as one would have them.

#include <filesystem>

#include "test/support/catch.hpp"
#include "test/support/evacuation_world.hpp"
#include "tools/evacuate/story.hpp"

namespace teleport::evacuation {

TEST_CASE("a guest that shuts down during the preflights has not stayed",
          "[evacuate]") {
  world all;
  all.add_guest("a");
  all.add_guest("b");
  all.write("problem/a", "");
  // Its preflight finds it no more: it is b's last sign of life.
  all.write("at_plan/b", "rm -f \"$world/host1/a\"\n");
  CHECK(all.evacuate() == exit_code::all_moved);
  CHECK(all.fate_of("a") == "gone");
  CHECK(all.fate_of("b") == "moved");
  CHECK(all.events("problem").empty());
}

TEST_CASE("guests that are excepted stay, and that is no failure",
          "[evacuate]") {
  world all;
  all.add_guest("a");
  all.add_guest("b");
  all.options_.except = {"b", "c"};
  CHECK(all.evacuate() == exit_code::all_moved);
  CHECK(all.is_at("host2", "a"));
  CHECK(all.is_at("host1", "b"));
  CHECK(all.fate_of("b") == "absent");
  all.options_.except.clear();
  REQUIRE(all.evacuate() == exit_code::all_moved);
  all.options_.back = true;
  all.options_.hosts.clear();
  all.options_.except = {"a"};
  CHECK(all.evacuate() == exit_code::all_moved);
  CHECK(all.is_at("host2", "a"));
  CHECK(all.is_at("host1", "b"));
}

TEST_CASE("names from elsewhere command no terminal", "[evacuate]") {
  CHECK(for_terminal("web1: moved\n  x\ty") == "web1: moved\n  x\ty");
  CHECK(for_terminal("a\x1b[2J\x7f\r") == "a?[2J??");
  CHECK(for_terminal("caf\xc3\xa9") == "caf\xc3\xa9");
}

TEST_CASE("what moves is shown in a few words", "[evacuate]") {
  CHECK(progress_words("web1",
                       {{"phase", "bulk"},
                        {"done", 246},
                        {"total", 1000},
                        {"eta_seconds", 720.0}}) ==
        "web1 bulk 24.6 %, 0:12:00 left");
  CHECK(progress_words("web1", {{"phase", "connect"}, {"total", 0}}) ==
        "web1 connect");
  // As another host may say it.
  CHECK(progress_words("web1",
                       {{"phase", "a\n\x1b[2J"},
                        {"done", -5},
                        {"total", 1e300},
                        {"eta_seconds", "soon"}}) == "web1 a ?[2J 0.0 %");
  CHECK(progress_words("web1", 7) == "web1");
}

}  // namespace teleport::evacuation
