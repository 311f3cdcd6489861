// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/process.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/eventfd.h>

#include "libteleport/base/unique_fd.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

TEST_CASE("a program gets its arguments as they are", "[base]") {
  const auto out = run_program({"printf", "%s|", "a b", "$HOME", "*", ""});
  REQUIRE(out);
  CHECK(*out == "a b|$HOME|*||");
}

TEST_CASE("a program's failure carries its code and its words", "[base]") {
  const auto out = run_program({"sh", "-c", "echo why >&2; exit 3"});
  REQUIRE_FALSE(out);
  CHECK(out.error().code == errc::system);
  CHECK_THAT(out.error().context, test::contains_text("exit code 3: why"));
  const auto killed = run_program({"sh", "-c", "kill -9 $$"});
  REQUIRE_FALSE(killed);
  CHECK_THAT(killed.error().context, test::contains_text("signal 9"));
}

TEST_CASE("a program that does not exist is not found", "[base]") {
  CHECK(run_program({"no-such-program"}).error().code == errc::not_found);
  CHECK(run_program({"/no/such/program"}).error().code == errc::not_found);
  CHECK(run_program({}).error().code == errc::bad_input);
}

TEST_CASE("a program's input and output may be larger than a pipe", "[base]") {
  program_options options;
  options.input.assign(900'000, 'x');
  const auto out = run_program({"cat"}, options);
  REQUIRE(out);
  CHECK(*out == options.input);
  CHECK(run_program({"true"}, options));
  options.max_output = 1000;
  CHECK_THAT(run_program({"cat"}, options).error().context,
             test::contains_text("more than 1000 bytes"));
}

TEST_CASE("a program's output may be taken piece by piece", "[base]") {
  program_options options;
  options.input.assign(900'000, 'x');
  options.max_output = 1000;
  std::string taken;
  options.on_output = [&](std::string_view piece) {
    taken += piece;
    return true;
  };
  const auto all = run_program({"cat"}, options);
  REQUIRE(all);
  CHECK(all->empty());
  CHECK(taken == options.input);
  taken.clear();
  options.on_output = [&](std::string_view piece) {
    taken += piece;
    return taken.size() < 100'000;
  };
  CHECK(run_program({"cat", "/dev/zero"}, options).error().code ==
        errc::cancelled);
  CHECK(taken.size() >= 100'000);
}

TEST_CASE("a program that does not end is killed", "[base]") {
  program_options options;
  options.timeout = std::chrono::milliseconds(50);
  const auto out = run_program({"tail", "-f", "/dev/null"}, options);
  REQUIRE_FALSE(out);
  CHECK(out.error().code == errc::timeout);
}

TEST_CASE("a program that is not wanted any more is killed", "[base]") {
  const unique_fd stop(::eventfd(1, EFD_CLOEXEC));
  program_options options;
  options.timeout = std::chrono::minutes(10);
  options.stop = stop.get();
  const auto ended = run_program({"sh", "-c", "sleep 1000"}, options);
  REQUIRE_FALSE(ended);
  CHECK(ended.error().code == errc::cancelled);
}

TEST_CASE("a program that leaves a child behind is not waited for", "[base]") {
  const auto out = run_program({"sh", "-c", "tail -f /dev/null & echo $!"});
  REQUIRE(out);
  CHECK(::kill(std::stoi(*out), SIGKILL) == 0);
}

TEST_CASE("a program inherits no descriptor and speaks the C locale",
          "[base]") {
  const unique_fd leak(::open("/dev/null", O_RDONLY));
  REQUIRE(leak);
  const auto out = run_program({"sh", "-c", "ls /proc/$$/fd; echo $LC_ALL"});
  REQUIRE(out);
  CHECK(*out == "0\n1\n2\nC\n");
}

TEST_CASE("a program may be given more of an environment", "[base]") {
  program_options how;
  how.environment = {"HOME=its own", "TELEPORT_OTHER=a b"};
  const auto out = run_program(
      {"sh", "-c", "echo \"$HOME,$TELEPORT_OTHER,${PATH:+path}\"; env"}, how);
  REQUIRE(out);
  CHECK(out->starts_with("its own,a b,path\n"));
  const auto at = out->find("\nHOME=");
  CHECK(out->find("\nHOME=", at + 1) == std::string::npos);
}

TEST_CASE("a program's path may look like an assignment", "[base]") {
  const temp_folder folder;
  const std::string path = folder / "a=b";
  // Without a line #!, as env and shells run it.
  std::ofstream(path) << "echo \"ran with $A\"\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  program_options how;
  how.environment = {"A=c"};
  const auto out = run_program({path}, how);
  REQUIRE(out);
  CHECK(*out == "ran with c\n");
}

TEST_CASE("a folder in PATH is no program", "[base]") {
  const temp_folder folder;
  std::filesystem::create_directory(folder / "printf");
  const std::string path = std::getenv("PATH");
  REQUIRE(::setenv("PATH", (folder.path() + ":" + path).c_str(), 1) == 0);
  const std::string found = find_program("printf");
  REQUIRE(::setenv("PATH", path.c_str(), 1) == 0);
  CHECK(found.starts_with('/'));
  CHECK(found != folder / "printf");
}

}  // namespace teleport
