// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/action_queue.hpp: what a course has decided and its
// driver has not done yet, in the order of the decisions.
//
// Threads: one owner. Blocks: never.

#ifndef LIBTELEPORT_SESSION_ACTION_QUEUE_HPP
#define LIBTELEPORT_SESSION_ACTION_QUEUE_HPP

#include <compare>
#include <deque>
#include <optional>

namespace teleport {

template <class Action>
class action_queue {
 public:
  void add(Action todo) { actions_.push_back(todo); }
  /// @return the oldest, which is removed; nullopt when there is none
  [[nodiscard]] std::optional<Action> next() {
    if (actions_.empty()) {
      return std::nullopt;
    }
    const Action todo = actions_.front();
    actions_.pop_front();
    return todo;
  }
  void clear() noexcept { actions_.clear(); }

  friend auto operator<=>(const action_queue&, const action_queue&) = default;

 private:
  std::deque<Action> actions_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_ACTION_QUEUE_HPP
