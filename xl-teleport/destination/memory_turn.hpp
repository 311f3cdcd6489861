// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/memory_turn.hpp: one guest's memory at a time arrives
// on this host. `xl migrate-receive` holds xl's global lock (/var/lock/xl) from
// the domain's creation until all memory is there: a second one waits for it,
// and so would the second guest, suspended.
//
// Threads: the loop's thread. Blocks: never; it tries again from a timer.

#ifndef XL_TELEPORT_DESTINATION_MEMORY_TURN_HPP
#define XL_TELEPORT_DESTINATION_MEMORY_TURN_HPP

#include <functional>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/event_loop.hpp"

namespace teleport {

class memory_turn {
 public:
  /// @param run_path  the folder of the locks
  memory_turn(event_loop& loop, std::string run_path)
      : loop_(loop), run_path_(std::move(run_path)) {}

  /// Calls `then` once this host's turn is held, or with what keeps it from
  /// being locked; never again once this object is gone.
  void await(std::function<void(const result<void>&)> then);
  [[nodiscard]] bool is_held() const noexcept { return bool(lock_); }
  /// xl's own lock is free again. The end of the process does it as well.
  void release() noexcept { lock_.reset(); }

 private:
  event_loop& loop_;
  std::string run_path_;
  unique_fd lock_;
  timer retry_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_MEMORY_TURN_HPP
