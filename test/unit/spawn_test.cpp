// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/spawn_test.cpp: a program gets what is named for it, and no more;
// entries of a folder; random bytes.

#include "libteleport/base/spawn.hpp"

#include <array>
#include <csignal>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libteleport/base/folder.hpp"
#include "libteleport/base/random.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

using namespace teleport;

namespace {

struct pipe_ends {
  pipe_ends() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    read = unique_fd(ends[0]);
    write = unique_fd(ends[1]);
  }
  /// All that was written, once nobody can write more.
  std::string text() {
    write.reset();
    std::string all;
    char byte = 0;
    while (::read(read.get(), &byte, 1) == 1) {
      all += byte;
    }
    return all;
  }
  unique_fd read;
  unique_fd write;
};

int status_of(spawn_options options) {
  const auto pid = spawn(std::move(options));
  REQUIRE(pid);
  return wait_until_exit(*pid);
}

}  // namespace

TEST_CASE("descriptors are passed whatever numbers ours have", "[base]") {
  // Among these are numbers that the program is to have, in another order.
  std::array<pipe_ends, 6> pipes;
  spawn_options options;
  std::string script;
  for (std::size_t i = 0; i < pipes.size(); ++i) {
    options.descriptors.push_back(pipes.at(pipes.size() - 1 - i).write.get());
    script +=
        "echo " + std::to_string(i) + " >&" + std::to_string(3 + i) + "; ";
  }
  options.argv = {"sh", "-c", script};
  CHECK(status_of(options) == 0);
  for (std::size_t i = 0; i < pipes.size(); ++i) {
    CHECK(pipes.at(pipes.size() - 1 - i).text() == std::to_string(i) + "\n");
  }
}

TEST_CASE("no other descriptor is passed", "[base]") {
  pipe_ends out;
  const unique_fd open_to_all(::dup(out.read.get()));  // without CLOEXEC
  spawn_options options;
  options.argv = {"sh", "-c", "cd /proc/self/fd && echo *"};
  options.descriptors = {
      spawn_options::inherited, out.write.get(), spawn_options::inherited};
  CHECK(status_of(options) == 0);
  // The last is that of the folder, while it is read.
  CHECK(out.text() == "0 1 2 3\n");
}

TEST_CASE("a program has no signal ignored or blocked", "[base]") {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  spawn_options options;
  options.argv = {"sh", "-c", "kill -PIPE $$; exit 3"};
  const int status = status_of(options);
  (void)std::signal(SIGPIPE, before);
  REQUIRE(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGPIPE);
}

TEST_CASE("a program may have another name and another environment", "[base]") {
  pipe_ends out;
  spawn_options options;
  options.program = "sh";
  options.argv = {"some name", "-c", "echo \"$0 $A $HOME\""};
  options.environment = {"A=b"};
  options.descriptors = {
      spawn_options::inherited, out.write.get(), spawn_options::inherited};
  options.group = spawn_group::own_session;
  CHECK(status_of(options) == 0);
  CHECK(out.text() == "some name b \n");
}

TEST_CASE("a program that is not there is not found", "[base]") {
  spawn_options options;
  options.argv = {"/none/such"};
  const auto pid = spawn(options);
  REQUIRE_FALSE(pid);
  CHECK(pid.error().code == errc::not_found);
}

TEST_CASE("entries that cannot be read are left out, others are not looked at",
          "[base]") {
  const temp_folder folder;
  std::ofstream(folder / "good.entry") << "7";
  std::ofstream(folder / "bad.entry") << "x";
  std::ofstream(folder / "good.entry.tmp") << "8";
  const auto read = [](const std::string& path) -> result<int> {
    int number = 0;
    if (std::ifstream(path) >> number) {
      return number;
    }
    return error(errc::corrupt, path);
  };
  const auto entries = read_entries(folder.path(), ".entry", read);
  REQUIRE(entries);
  CHECK(*entries == std::vector<int>{7});
  const auto none = read_entries(folder / "none", ".entry", read);
  REQUIRE_FALSE(none);
  CHECK(none.error().code == errc::not_found);
}

TEST_CASE("random bytes differ each time", "[base]") {
  std::array<std::byte, 16> first{};
  std::array<std::byte, 16> second{};
  REQUIRE(fill_with_random(first));
  REQUIRE(fill_with_random(second));
  CHECK(first != second);
}
