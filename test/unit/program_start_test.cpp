// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/program_start_test.cpp: a program that others start badly.

#include "libteleport/base/program_start.hpp"

#include <csignal>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libteleport/base/spawn.hpp"
#include "test/support/catch.hpp"

namespace teleport {

namespace {

/// As a starter leaves a program that it has forked.
[[noreturn]] void start_badly() {
  sigset_t all{};
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  (void)std::signal(SIGCHLD, SIG_IGN);
  (void)std::signal(SIGPIPE, SIG_DFL);
  ::close(STDIN_FILENO);
  start_program();
  const bool has_input = ::fcntl(STDIN_FILENO, F_GETFD) != -1;
  sigset_t now{};
  ::pthread_sigmask(SIG_BLOCK, nullptr, &now);
  spawn_options seven;
  seven.argv = {"sh", "-c", "exit 7"};
  const auto child = spawn(seven);
  const int status = child ? wait_until_exit(*child) : 0;
  const bool good = ::sigismember(&now, SIGCHLD) == 0 &&
                    std::signal(SIGCHLD, SIG_DFL) == SIG_DFL &&
                    std::signal(SIGPIPE, SIG_IGN) == SIG_IGN &&
                    WIFEXITED(status) && WEXITSTATUS(status) == 7 && has_input;
  ::_exit(good ? 0 : 1);
}

}  // namespace

TEST_CASE("a program sees its children's end, however it was started",
          "[process]") {
  const pid_t pid = ::fork();
  if (pid == 0) {
    start_badly();
  }
  REQUIRE(pid > 0);
  const int status = wait_until_exit(pid);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}

}  // namespace teleport
