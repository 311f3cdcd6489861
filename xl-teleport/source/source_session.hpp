// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/source_session.hpp: one teleport at the source, from the
// first record to the report: does what the course says with the connection,
// the disks, libxl and the terminal, and tells it what came of it.
//
// Threads: everything on the loop's thread; what blocks, on the pool.

#ifndef XL_TELEPORT_SOURCE_SOURCE_SESSION_HPP
#define XL_TELEPORT_SOURCE_SOURCE_SESSION_HPP

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/session/queue_room.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/session/source_course.hpp"
#include "libteleport/xen/guardian.hpp"
#include "xl-teleport/setup/settings.hpp"
#include "xl-teleport/source/departure.hpp"
#include "xl-teleport/source/disk_mover.hpp"
#include "xl-teleport/source/fate_query.hpp"
#include "xl-teleport/source/guest_here.hpp"
#include "xl-teleport/source/memory_mover.hpp"
#include "xl-teleport/source/options.hpp"
#include "xl-teleport/source/progress_view.hpp"
#include "xl-teleport/source/reconnect.hpp"
#include "xl-teleport/source/report.hpp"
#include "xl-teleport/source/source_host.hpp"

namespace teleport {

class source_session {
 public:
  source_session(event_loop& loop,
                 move_options options,
                 settings config,
                 source_view view,
                 std::function<void(exit_code)> finished);

  void start();
  /// A signal asks us to end: the guest stays, unless GO has been given.
  void cancel();
  /// Tells each second's progress to `told` as well.
  void tell_progress(progress_view::observer told) {
    view_of_progress_.tell(std::move(told));
  }
  [[nodiscard]] const move_report& report() const noexcept { return report_; }
  /// Whether another attempt may follow. None does once the guest was
  /// suspended: another downtime is for whoever called us to decide.
  [[nodiscard]] attempt_end ended_as() const noexcept { return ending_.as; }

 private:
  using clock = std::chrono::steady_clock;

  // source_setup.cpp: from the connection to the attached disks
  void connected(result<std::shared_ptr<connection>> link);
  void on_answer(const answer& reply);
  void attach();
  [[nodiscard]] result<void> prepare_here();
  [[nodiscard]] result<void> pause_guest(bool paused);
  void make_movers();

  // source_session.cpp: what the course says, and what it is told
  void act();
  void perform(source_action todo);
  void on_record(const raw_record& record);
  result<void> take(const raw_record& record);
  result<void> on_result(const raw_record& record);
  void glance();
  void look_at_guest();
  void on_looked(result<guest_sight> now, bool suspended);
  void on_change(const guest_change& change);
  void start_memory();
  void give_up();
  void arm_limit();
  void on_limit();
  void memory_done(const result<void>& outcome);
  [[nodiscard]] source_course::moment now();
  [[nodiscard]] move_phase phase_now() const;
  void enter(move_phase phase);
  void tick();

  // source_end.cpp: every way it can end
  void fail(const error& cause);
  void end_untouched();
  void stop();
  void stop_disks();
  void leave_guest(bool ours);
  void finish();
  void ask();
  void report_uncertain();
  void end(exit_code code, std::string outcome);
  [[nodiscard]] result<void> write_journal(journal_state state);

  event_loop& loop_;
  move_options options_;
  settings settings_;
  source_view view_;
  std::function<void(exit_code)> finished_;

  std::string id_;
  source_course course_;
  std::shared_ptr<connection> link_;
  unique_fd guest_lock_;
  std::optional<journal> journal_;
  departure departure_;
  guardian_handle guardian_;
  std::unique_ptr<disk_mover> disks_;
  std::unique_ptr<memory_mover> memory_;
  std::unique_ptr<fate_query> query_;

  move_phase phase_ = move_phase::connect;
  struct beginnings {
    clock::time_point session = clock::now();
    clock::time_point phase = session;
  };
  beginnings times_;
  struct link_measures {
    link_gauge gauge;
    queue_room room;  ///< for memory
  };
  link_measures measures_;
  struct ending {
    attempt_end as = attempt_end::over;
    std::string told = "a step failed on that host";  ///< by FAIL
  };
  ending ending_;
  timer tick_timer_;
  timer glance_timer_;
  timer limit_timer_;
  timer round_timer_;
  progress_view view_of_progress_;
  move_report report_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_SOURCE_SESSION_HPP
