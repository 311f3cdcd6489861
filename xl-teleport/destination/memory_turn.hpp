// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/memory_turn.hpp: one guest's memory at a time arrives
// on this host. `xl migrate-receive` holds xl's global lock (/var/lock/xl) from
// the domain's creation until all memory is there: a second one waits for it,
// and so would the second guest, suspended. PROTOCOL.md, section 5.3.
//
// The turn goes to who has waited longest (turn_queue.hpp). Who has it gives it
// up where its source has lost it and another waits. It notes in the lock's
// file who it is, again and again: who waits sees by it that a session was
// stopped, and waits no more.
//
// Threads: the loop's thread. Blocks: never; it tries again from a timer.

#ifndef XL_TELEPORT_DESTINATION_MEMORY_TURN_HPP
#define XL_TELEPORT_DESTINATION_MEMORY_TURN_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/session/standstill.hpp"
#include "libteleport/session/turn_limit.hpp"
#include "xl-teleport/destination/turn_queue.hpp"

namespace teleport {

class memory_turn {
 public:
  /// @param run_path  the folder of the locks
  memory_turn(event_loop& loop, std::string run_path)
      : loop_(loop), run_path_(std::move(run_path)), queue_(run_path_) {}

  /// Calls `then` once this host's turn is held, or with what keeps it from
  /// being locked; never again once this object is gone, or after leave().
  ///
  /// @param guest       its name
  /// @param memory_kib  that the guest may have
  /// @error errc::busy  to `then`: the session that has it stands still
  void await(std::string guest,
             std::uint64_t memory_kib,
             std::function<void(const result<void>&)> then);
  [[nodiscard]] bool is_held() const noexcept { return bool(lock_); }
  /// Waits no more. A turn that is held stays so.
  void leave() noexcept;
  /// xl's own lock is free again. The end of the process does it as well.
  void release() noexcept {
    beat_ = timer();
    lock_.reset();
  }

  /// Looked at again and again.
  ///
  /// @error errc::busy where the turn is held, another guest waits for it, and
  ///        this one's source has lost it
  [[nodiscard]] result<void> look(const turn_limit::sight& seen,
                                  turn_limit::time_point now);

 private:
  void try_again();
  void begin(unique_fd lock);
  void beat();
  [[nodiscard]] result<void> look_at_holder();

  event_loop& loop_;
  std::string run_path_;
  turn_queue queue_;
  std::string guest_;
  std::uint64_t memory_kib_ = 0;
  std::function<void(const result<void>&)> then_;
  unique_fd lock_;
  std::optional<turn_limit> limit_;
  standstill holder_;  ///< whoever has the turn that is awaited
  timer retry_;
  timer beat_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_MEMORY_TURN_HPP
