// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/memory_turn.hpp"

#include <chrono>
#include <utility>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/base/log.hpp"

namespace teleport {

namespace {

/// The guest runs meanwhile: a wait that is longer by this costs nobody
/// anything.
constexpr std::chrono::milliseconds retry_pause{100};

}  // namespace

void memory_turn::await(std::function<void(const result<void>&)> then) {
  auto lock = take_lock(run_path_, "memory");
  if (lock) {
    lock_ = std::move(*lock);
    then({});
    return;
  }
  if (lock.error().code != errc::busy) {
    then(lock.error());
    return;
  }
  if (!retry_) {
    log_info("waits until the memory of another guest has arrived");
  }
  retry_ = loop_.after(retry_pause, [this, then = std::move(then)]() mutable {
    await(std::move(then));
  });
}

}  // namespace teleport
