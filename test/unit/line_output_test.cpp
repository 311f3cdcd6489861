// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/line_output_test.cpp: a reader that stands still costs lines, and
// holds nobody.

#include "libteleport/base/line_output.hpp"

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"
#include "test/support/catch.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {
namespace {

struct two_ends {
  unique_fd reads;
  unique_fd writes;
};

two_ends pipe_ends() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  return {unique_fd(ends[0]), unique_fd(ends[1])};
}

two_ends socket_ends() {
  std::array<int, 2> ends{};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) ==
          0);
  return {unique_fd(ends[0]), unique_fd(ends[1])};
}

/// A terminal: what is written to one end is read, raw, at the other.
two_ends terminal_ends() {
  unique_fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(master);
  REQUIRE(::grantpt(master.get()) == 0);
  REQUIRE(::unlockpt(master.get()) == 0);
  std::array<char, 64> name{};
  REQUIRE(::ptsname_r(master.get(), name.data(), name.size()) == 0);
  unique_fd slave(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(slave);
  termios how{};
  REQUIRE(::tcgetattr(slave.get(), &how) == 0);
  ::cfmakeraw(&how);
  how.c_iflag |= IXON;
  REQUIRE(::tcsetattr(slave.get(), TCSANOW, &how) == 0);
  return {std::move(master), std::move(slave)};
}

std::string read_all(int fd) {
  REQUIRE(::fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
  std::string text;
  std::array<char, 65536> piece{};
  for (ssize_t got = 1; got > 0;) {
    got = ::read(fd, piece.data(), piece.size());
    text.append(piece.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  return text;
}

/// What is there until `end` is there: of a terminal a worker of the kernel's
/// carries it from one end to the other.
std::string read_until(int fd, std::string_view end) {
  std::string text;
  pollfd arrives = {fd, POLLIN, 0};
  while (!text.ends_with(end)) {
    REQUIRE(::poll(&arrives, 1, 10'000) == 1);
    text += read_all(fd);
  }
  return text;
}

/// Writes numbered lines until one finds no room: how many were written.
unsigned fill(line_output& out) {
  unsigned lines = 0;
  while (out.write("line " + std::to_string(lines) + '\n')) {
    ++lines;
  }
  return lines;
}

}  // namespace

TEST_CASE("a line is written whole where there is room", "[line_output]") {
  two_ends ends = GENERATE(0, 1) == 0 ? pipe_ends() : socket_ends();
  line_output out(ends.writes.get());
  CHECK(out.write("one\n"));
  CHECK(out.write("two\n"));
  CHECK(read_all(ends.reads.get()) == "one\ntwo\n");
}

TEST_CASE("a reader that stands still costs lines, and is told the next ones",
          "[line_output]") {
  two_ends ends = GENERATE(0, 1) == 0 ? pipe_ends() : socket_ends();
  line_output out(ends.writes.get());
  const unsigned lines = fill(out);
  CHECK(lines > 10);
  CHECK_FALSE(out.write("dropped\n"));
  const std::string first = read_all(ends.reads.get());
  CHECK(first.ends_with("line " + std::to_string(lines - 1) + '\n'));
  CHECK(out.write("last\n"));
  CHECK(read_all(ends.reads.get()) == "last\n");
}

TEST_CASE("a pipe that others write to stays as blocking as it was",
          "[line_output]") {
  two_ends ends = pipe_ends();
  line_output out(ends.writes.get());
  CHECK(out.write("line\n"));
  CHECK((::fcntl(ends.writes.get(), F_GETFL) & O_NONBLOCK) == 0);
}

TEST_CASE("Ctrl-S in a terminal holds nobody", "[line_output]") {
  two_ends ends = terminal_ends();
  line_output out(ends.writes.get());
  CHECK(out.write("before\n"));
  CHECK(read_until(ends.reads.get(), "before\n") == "before\n");
  REQUIRE(::write(ends.reads.get(), "\x13", 1) == 1);
  while (out.write("line\n")) {
  }
  REQUIRE(::write(ends.reads.get(), "\x11", 1) == 1);
  std::string seen;
  while (!out.write("after\n")) {
    seen += read_all(ends.reads.get());
  }
  while (!seen.ends_with("after\n")) {
    seen += read_until(ends.reads.get(), "\n");
  }
}

TEST_CASE("a file is written as ever", "[line_output]") {
  const temp_folder folder;
  const std::string path = folder.path() + "/log";
  const unique_fd file(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  line_output out(file.get());
  CHECK(out.write("one\n"));
  REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
  CHECK(read_all(file.get()) == "one\n");
}

}  // namespace teleport
