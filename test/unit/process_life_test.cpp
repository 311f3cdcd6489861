// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/process_life_test.cpp: a signal reaches the process that was meant,
// or nobody.

#include "libteleport/base/process_life.hpp"

#include <csignal>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

#include "libteleport/base/pidfd.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

using namespace std::chrono_literals;

/// A child that waits for a signal.
class waiting_child {
 public:
  waiting_child() : life_(own_life()) {
    life_.pid = ::fork();
    if (life_.pid == 0) {
      for (;;) {
        ::pause();
      }
    }
    std::ifstream in("/proc/" + std::to_string(life_.pid) + "/stat");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    life_.start = start_of_process(text).value_or(0);
  }
  waiting_child(const waiting_child&) = delete;
  waiting_child& operator=(const waiting_child&) = delete;
  waiting_child(waiting_child&&) = delete;
  waiting_child& operator=(waiting_child&&) = delete;
  ~waiting_child() {
    (void)::kill(life_.pid, SIGKILL);
    (void)::waitpid(life_.pid, nullptr, 0);
  }
  [[nodiscard]] const process_life& life() const noexcept { return life_; }

 private:
  process_life life_;
};

}  // namespace

TEST_CASE("a process's start is read behind any name", "[process]") {
  const std::string numbers =
      " S 1 812 812 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 4711 90 7\n";
  CHECK(start_of_process("812 (teleportd)" + numbers) == 4711);
  CHECK(start_of_process("812 (a) S 1 (b c)" + numbers) == 4711);
  CHECK_FALSE(start_of_process("812 (teleportd) Z" + numbers.substr(2)));
  CHECK_FALSE(start_of_process("812 (teleportd) S 1 2 3"));
  CHECK_FALSE(start_of_process("812 teleportd"));
  CHECK_FALSE(start_of_process(""));
}

TEST_CASE("this process lives, and another start or boot of it does not",
          "[process]") {
  const process_life own = own_life();
  REQUIRE(own.pid == ::getpid());
  REQUIRE(own.start != 0);
  CHECK(is_alive(own));
  process_life other = own;
  ++other.start;
  CHECK_FALSE(is_alive(other));
  other = own;
  other.boot = "another";
  CHECK_FALSE(is_alive(other));
  other = own;
  other.pid = 0;
  CHECK_FALSE(is_alive(other));
  CHECK(open_life(other).error().code == errc::not_found);
  CHECK_FALSE(is_alive({}));
}

TEST_CASE("a signal ends the process that was meant, and it is waited for",
          "[process]") {
  const waiting_child child;
  const auto process = open_life(child.life());
  REQUIRE(process);
  CHECK_FALSE(ends_within(*process, 0ms));
  REQUIRE(send_signal(*process, SIGKILL));
  CHECK(ends_within(*process, 30s));
  // A zombie until it is waited for: it is alive no more.
  CHECK_FALSE(is_alive(child.life()));
}

}  // namespace teleport
