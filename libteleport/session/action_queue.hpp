// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/action_queue.hpp: what a course has decided and its
// driver has not done yet, in the order of the decisions.
//
//   actions_.add(source_action::attach);   // the driver does it
//   actions_.add(record_type::prepare);    // the driver sends it
//
// Threads: one owner. Blocks: never.

#ifndef LIBTELEPORT_SESSION_ACTION_QUEUE_HPP
#define LIBTELEPORT_SESSION_ACTION_QUEUE_HPP

#include <compare>
#include <deque>
#include <optional>
#include <variant>

#include "libteleport/wire/format.hpp"

namespace teleport {

/// What a course's driver is to do next: an action of that course, or a record
/// without a body (record_kind::empty) that is to be sent.
template <class Action>
using course_step = std::variant<Action, record_type>;

template <class Action>
class action_queue {
 public:
  void add(course_step<Action> todo) { actions_.push_back(todo); }
  /// @return the oldest, which is removed; nullopt when there is none
  [[nodiscard]] std::optional<course_step<Action>> next() {
    if (actions_.empty()) {
      return std::nullopt;
    }
    const course_step<Action> todo = actions_.front();
    actions_.pop_front();
    return todo;
  }
  void clear() noexcept { actions_.clear(); }

  friend auto operator<=>(const action_queue&, const action_queue&) = default;

 private:
  std::deque<course_step<Action>> actions_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_ACTION_QUEUE_HPP
