// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/program_start.hpp"

#include <csignal>

#include "libteleport/base/standard_streams.hpp"

namespace teleport {

void start_program() {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  static_cast<void>(std::signal(SIGCHLD, SIG_DFL));
  sigset_t children{};
  ::sigemptyset(&children);
  ::sigaddset(&children, SIGCHLD);
  static_cast<void>(::pthread_sigmask(SIG_UNBLOCK, &children, nullptr));
  open_standard_streams();
}

}  // namespace teleport
