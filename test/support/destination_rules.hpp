// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/destination_rules.hpp: a driver of destination_course that does
// nothing but keep count: which steps are under way, and whether an action was
// one that a destination may never do at that moment.
//
// Threads: one owner.

#ifndef TEST_SUPPORT_DESTINATION_RULES_HPP
#define TEST_SUPPORT_DESTINATION_RULES_HPP

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "libteleport/session/destination_course.hpp"

namespace teleport {

class destination_rules {
 public:
  /// A record comes.
  void record(record_type type, bool all_proven);
  /// A step that is under way ends.
  ///
  /// @param which  of those under way, modulo their number
  void end_step(std::size_t which, bool well);
  /// The link is lost, or the session is cancelled.
  void lose();
  /// xl dies.
  void lose_xl();

  [[nodiscard]] const destination_course& course() const noexcept {
    return course_;
  }
  /// What was done and never may be; "" while nothing was.
  [[nodiscard]] const std::string& broken() const noexcept { return broken_; }
  [[nodiscard]] std::size_t under_way() const noexcept { return steps_.size(); }

 private:
  using action = destination_course::action;
  void perform(const destination_course::actions& todo);
  void check_sent(record_type empty);
  void check(action next);
  void require(bool holds, const char* rule);
  void end_gate_hook(bool well);

  destination_course course_;
  std::deque<action> steps_;  ///< begun and not ended, in their order
  std::string broken_;
  bool stream_in_ = false;
  bool has_turn_ = false;
  bool xl_started_ = false;
  bool flushed_ = false;  ///< with nothing for the disks since it began
  bool end_given_ = false;
  bool has_ready_ = false;  ///< `ready` is durable
  bool has_go_ = false;     ///< `go` is durable
  bool told_received_ = false;
  bool wrote_running_ = false;
  bool failed_ = false;
  std::size_t rebuilds_ = 0;
  std::size_t rebuilds_at_flush_ = 0;
  std::size_t gos_ = 0;
  std::size_t permissions_ = 0;
  std::size_t ends_ = 0;
};

}  // namespace teleport

#endif  // TEST_SUPPORT_DESTINATION_RULES_HPP
