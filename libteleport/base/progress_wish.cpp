// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/progress_wish.hpp"

#include <csignal>
#include <ctime>

namespace teleport {

namespace {

sigset_t wishes() {
  sigset_t signals{};
  sigemptyset(&signals);
  sigaddset(&signals, SIGUSR1);
  return signals;
}

}  // namespace

void hold_progress_wishes() {
  const sigset_t signals = wishes();
  (void)::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

bool progress_wished() {
  const sigset_t signals = wishes();
  const timespec at_once{};
  return ::sigtimedwait(&signals, nullptr, &at_once) == SIGUSR1;
}

}  // namespace teleport
