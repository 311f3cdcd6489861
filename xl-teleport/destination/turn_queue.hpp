// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/turn_queue.hpp: the sessions that wait for one thing,
// in the order in which they came. Each has a lock's file of its own in a
// folder, named by the time of its coming. One whose process has ended holds
// its lock no more, and one that was stopped does not write its file any more:
// neither keeps others waiting.
//
// Threads: one owner. Blocks: on small files in memory.

#ifndef XL_TELEPORT_DESTINATION_TURN_QUEUE_HPP
#define XL_TELEPORT_DESTINATION_TURN_QUEUE_HPP

#include <string>
#include <utility>

#include "libteleport/base/unique_fd.hpp"

namespace teleport {

class turn_queue {
 public:
  explicit turn_queue(std::string folder) : folder_(std::move(folder)) {}
  turn_queue(const turn_queue&) = delete;
  turn_queue& operator=(const turn_queue&) = delete;
  turn_queue(turn_queue&&) = delete;
  turn_queue& operator=(turn_queue&&) = delete;
  ~turn_queue() { leave(); }

  /// Joins at the end, once. To be asked more than once a second: this is what
  /// shows that the session runs.
  ///
  /// @return whether nobody is before this one; true where that cannot be told
  [[nodiscard]] bool is_first();
  /// @return whether any session is in the queue, but for this one
  [[nodiscard]] bool others_wait() const;
  void leave() noexcept;

 private:
  void join();
  /// @param end  those before this name; empty: all
  [[nodiscard]] bool any_waits(const std::string& end) const;

  std::string folder_;
  std::string name_;  ///< of the lock; empty: not joined
  unique_fd lock_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_TURN_QUEUE_HPP
