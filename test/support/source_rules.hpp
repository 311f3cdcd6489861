// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/source_rules.hpp: a driver of source_course that does nothing
// but keep count: which steps are under way, and whether an action was one that
// a source may never do at that moment.
//
// Threads: one owner.

#ifndef TEST_SUPPORT_SOURCE_RULES_HPP
#define TEST_SUPPORT_SOURCE_RULES_HPP

#include <cstddef>
#include <deque>
#include <string>

#include "libteleport/session/source_course.hpp"

namespace teleport {

class source_rules {
 public:
  source_rules() { course_.needs_turn(); }

  /// A record comes. `good` as in source_course::on_record().
  void record(record_type type, bool good);
  /// A step that is under way ends.
  ///
  /// @param which  of those under way, modulo their number
  void end_step(std::size_t which, bool well);
  /// What libxl's save does next: suspend, send the end, return.
  void save_goes_on(bool well);
  /// The link is lost, or the user cancels.
  void lose();
  /// An answer to QUERY, where one was asked.
  void answer(destination_fate fate);

  [[nodiscard]] const source_course& course() const noexcept { return course_; }
  /// What was done and never may be; "" while nothing was.
  [[nodiscard]] const std::string& broken() const noexcept { return broken_; }
  [[nodiscard]] bool moved() const noexcept { return moved_; }

 private:
  void perform();
  void check_sent(record_type empty);
  void check(source_action next);
  void require(bool holds, const char* rule);

  source_course course_{downtime_budget()};
  std::deque<source_action> steps_;  ///< begun and not ended
  std::string broken_;
  bool durable_ = false;   ///< DISKS_DURABLE was accepted
  bool received_ = false;  ///< GUEST_RECEIVED was accepted
  bool has_turn_ = false;  ///< TURN was accepted
  bool has_go_ = false;    ///< `go` is durable
  bool gave_go_ = false;
  bool runs_there_ = false;   ///< was told so
  bool never_there_ = false;  ///< was told so
  bool asks_ = false;
  bool resumed_ = false;
  bool moved_ = false;
  bool stream_sent_ = false;
  bool saved_ = false;   ///< libxl's save was begun
  bool looked_ = false;  ///< at the guest, since it is suspended
};

}  // namespace teleport

#endif  // TEST_SUPPORT_SOURCE_RULES_HPP
