// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/standard_streams_test.cpp: a text that was not written is told from
// one whose reader had enough.

#include "libteleport/base/standard_streams.hpp"

#include <array>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <string>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/support/catch.hpp"

namespace teleport {

namespace {

/// More than any buffer, so that it is written before the last flush.
const std::string long_text(1U << 20U, 'x');

/// What code_when_told() makes of 0 in a process that prints `text` to
/// `output`.
int code_of(int output, const std::string& text) {
  std::cout.flush();
  std::cerr.flush();
  const pid_t child = ::fork();
  if (child == 0) {
    (void)std::signal(SIGPIPE, SIG_IGN);
    (void)::dup2(output, STDOUT_FILENO);
    (void)::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);
    std::cout << text;
    ::_exit(code_when_told("teleportctl", 0, 1));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a text that finds no room is a failure", "[base]") {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  CHECK(code_of(full, "a line\n") == 1);
  CHECK(code_of(full, long_text) == 1);
  (void)::close(full);
  const int room = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  CHECK(code_of(room, long_text) == 0);
  (void)::close(room);
}

TEST_CASE("a reader that had enough is no failure", "[base]") {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  (void)::close(ends[0]);
  CHECK(code_of(ends[1], "a line\n") == 0);
  CHECK(code_of(ends[1], long_text) == 0);
  (void)::close(ends[1]);
}

TEST_CASE("a program never has a closed standard stream", "[base]") {
  const pid_t child = ::fork();
  if (child == 0) {
    (void)::close(STDIN_FILENO);
    (void)::close(STDOUT_FILENO);
    open_standard_streams();
    ::_exit(::open("/dev/null", O_RDONLY) > STDERR_FILENO ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

}  // namespace teleport
