// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/memory_turn.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/base/log.hpp"

namespace teleport {

namespace {

/// The guest runs meanwhile: a wait that is longer by this costs nobody
/// anything.
constexpr std::chrono::milliseconds retry_pause{100};

/// Who has the turn shows at such intervals that its session runs.
constexpr std::chrono::seconds beat_pause{5};
/// A loop that is held up by the machine beats within this.
constexpr std::chrono::seconds holder_limit{60};

constexpr const char* turn_lock = "memory";

}  // namespace

void memory_turn::await(std::string guest,
                        std::uint64_t memory_kib,
                        std::function<void(const result<void>&)> then) {
  guest_ = std::move(guest);
  memory_kib_ = memory_kib;
  then_ = std::move(then);
  try_again();
}

void memory_turn::try_again() {
  auto lock = queue_.is_first()
                  ? take_lock(run_path_, turn_lock)
                  : result<unique_fd>(error(errc::busy, "others are before"));
  const bool is_taken = !lock && lock.error().code == errc::busy;
  auto outcome = is_taken ? look_at_holder()
                 : lock   ? result<void>()
                          : result<void>(lock.error());
  if (!is_taken || !outcome) {
    leave();
    if (lock) {
      begin(std::move(*lock));
    }
    std::exchange(then_, {})(outcome);
    return;
  }
  retry_ = loop_.after(retry_pause, [this] { try_again(); });
}

void memory_turn::begin(unique_fd lock) {
  lock_ = std::move(lock);
  limit_.emplace(memory_kib_, turn_limit::time_point::clock::now());
  beat();
}

void memory_turn::beat() {
  write_lock_note(lock_, fmt::format("{}, process {}", guest_, ::getpid()));
  beat_ = loop_.after(beat_pause, [this] { beat(); });
}

result<void> memory_turn::look_at_holder() {
  const auto note = read_lock_note(run_path_, turn_lock);
  const std::string who = note ? note->holder : "";
  if (!retry_) {
    log_info("waits until the memory of another guest has arrived: " + who);
  }
  const auto limit = who.empty() ? std::nullopt : std::optional(holder_limit);
  return holder_.is_too_long(
             limit, note ? note->sign : 0, standstill::time_point::clock::now())
             ? result<void>(error(
                   errc::busy,
                   fmt::format("the memory of another guest has its turn, and "
                               "the session that receives it has stood still "
                               "for {} s ({}): let it go on, or kill it",
                               holder_limit.count(),
                               who)))
             : result<void>();
}

void memory_turn::leave() noexcept {
  retry_ = timer();
  queue_.leave();
}

result<void> memory_turn::look(const turn_limit::sight& seen,
                               turn_limit::time_point now) {
  if (!is_held() || !limit_) {
    return {};
  }
  limit_->look(seen, now);
  const auto verdict = limit_->judge();
  if (verdict == turn_limit::verdict::keeps || !queue_.others_wait()) {
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
