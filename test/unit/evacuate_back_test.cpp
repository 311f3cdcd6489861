// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/evacuate_back_test.cpp: guests are brought home, by a shell to the
// host where they are.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

#include "test/support/catch.hpp"
#include "test/support/evacuation_world.hpp"
#include "test/support/print_error.hpp"
#include "tools/evacuate/evacuation_run.hpp"

namespace teleport::evacuation {

TEST_CASE("who was sent away is brought home", "[evacuate]") {
  world all;
  all.add_guest("a");
  all.add_guest("b");
  REQUIRE(all.evacuate() == exit_code::all_moved);
  // b came home by another way.
  fs::rename(all.folder_ / "host2/b", all.folder_ / "host1/b");
  all.options_.back = true;
  all.options_.hosts.clear();
  CHECK(all.evacuate() == exit_code::all_moved);
  CHECK(all.is_at("host1", "a"));
  CHECK(all.fate_of("a") == "moved");
  CHECK(all.fate_of("b") == "absent");
  const auto kept = record::open(all.folder_ / "state");
  REQUIRE(kept);
  CHECK(kept->away()->empty());
  CHECK(all.evacuate() == exit_code::all_moved);  // nothing more to do
}

TEST_CASE("a teleport at the other host is cancelled with its shell",
          "[evacuate]") {
  world all;
  all.add_guest("a");
  REQUIRE(all.evacuate() == exit_code::all_moved);
  REQUIRE(::mkfifo((all.folder_ / "started").c_str(), 0600) == 0);
  REQUIRE(::mkfifo((all.folder_ / "never").c_str(), 0600) == 0);
  all.write("at_start/a",
            "trap ': > \"$world/cancelled\"; report cancelled; exit 1' TERM\n"
            ": > \"$world/started\"; read x <> \"$world/never\"\n");
  // As with ssh, no signal arrives there, only the end of the input.
  all.write("shell2",
            "#!/bin/sh\nexec 3<&0\nmkfifo \"$0.$$\"\n"
            "cat <&3 >\"$0.$$\" & input=$!\n"
            "setsid \"$(dirname \"$0\")/shell\" \"$@\" <\"$0.$$\"\n"
            "code=$?\nkill $input\nexit $code\n");
  fs::permissions(all.folder_ / "shell2", fs::perms::owner_all);
  all.options_.remote_shell = {all.folder_ / "shell2"};
  all.options_.back = true;
  all.options_.hosts.clear();
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
  // The end of the teleport there was waited for.
  CHECK(fs::exists(all.folder_ / "cancelled"));
  REQUIRE(all.events("failed").size() == 1);
  CHECK(all.events("failed")[0]["sentence"] == "cancelled");
  CHECK(all.is_at("host2", "a"));
}

TEST_CASE("the shell to another host is found as any command is",
          "[evacuate]") {
  world all;
  all.add_guest("a");
  REQUIRE(all.evacuate() == exit_code::all_moved);
  all.options_.back = true;
  all.options_.hosts.clear();
  all.options_.remote_shell = {"shell"};  // by its name, as ssh
  const std::string path = std::getenv("PATH");
  REQUIRE(::setenv("PATH", (path + "::" + all.folder_.path()).c_str(), 1) == 0);
  const auto code = all.evacuate();
  REQUIRE(::setenv("PATH", path.c_str(), 1) == 0);
  CHECK(code == exit_code::all_moved);
  CHECK(all.is_at("host1", "a"));
  // A name that is nowhere is told.
  REQUIRE(all.evacuate() == exit_code::all_moved);
  all.options_.remote_shell = {"no-such-shell"};
  all.options_.back = false;
  all.options_.hosts = {"host2"};
  REQUIRE(all.evacuate() == exit_code::all_moved);
  all.options_.back = true;
  all.options_.hosts.clear();
  CHECK(all.evacuate() == exit_code::nothing_done);
  CHECK(all.is_at("host2", "a"));
}

TEST_CASE("of whom the other host brings no word, a person must look",
          "[evacuate]") {
  world all;
  all.add_guest("a");
  REQUIRE(all.evacuate() == exit_code::all_moved);
  all.options_.back = true;
  all.options_.hosts.clear();
  // ssh's own exit code, as when the connection breaks.
  all.write("at_start/a", "exit 255\n");
  CHECK(all.evacuate() == exit_code::uncertain);
  CHECK(all.events("start").size() == 2);
  // The connection breaks, and the guest comes all the same.
  all.write("at_start/a", "mv \"$world/host2/a\" \"$world/host1\"; exit 255\n");
  CHECK(all.evacuate() == exit_code::all_moved);
  CHECK(all.fate_of("a") == "moved");
}

}  // namespace teleport::evacuation
