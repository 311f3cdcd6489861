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

constexpr const char* turn_lock = "memory";
constexpr const char* waiting_lock = "memory-waits";

}  // namespace

void memory_turn::await(std::uint64_t memory_kib,
                        std::function<void(const result<void>&)> then) {
  auto lock = take_lock(run_path_, turn_lock);
  if (lock || lock.error().code != errc::busy) {
    leave();
    if (lock) {
      lock_ = std::move(*lock);
      limit_.emplace(memory_kib, turn_limit::time_point::clock::now());
    }
    then(lock ? result<void>() : result<void>(lock.error()));
    return;
  }
  if (!retry_) {
    log_info("waits until the memory of another guest has arrived");
  }
  if (!waits_) {
    // Busy while somebody looks whether anybody waits: the next try is soon.
    auto shared = share_lock(run_path_, waiting_lock);
    waits_ = shared ? std::move(*shared) : unique_fd();
  }
  retry_ = loop_.after(retry_pause,
                       [this, memory_kib, then = std::move(then)]() mutable {
                         await(memory_kib, std::move(then));
                       });
}

void memory_turn::leave() noexcept {
  retry_ = timer();
  waits_.reset();
}

bool memory_turn::others_wait() const {
  const auto nobody = take_lock(run_path_, waiting_lock);
  return !nobody && nobody.error().code == errc::busy;
}

result<void> memory_turn::look(const turn_limit::sight& seen,
                               turn_limit::time_point now) {
  if (!is_held() || !limit_) {
    return {};
  }
  limit_->look(seen, now);
  const auto verdict = limit_->judge();
  if (verdict == turn_limit::verdict::keeps || !others_wait()) {
    return {};
  }
  return error(errc::busy,
               verdict == turn_limit::verdict::too_slow
                   ? "the memory of another guest waits for its turn, and less "
                     "than 1 MiB of this one's came in the last 60 s"
                   : "the memory of another guest waits for its turn, and this "
                     "one's takes longer than a link of 2 Mbit/s needs");
}

}  // namespace teleport
