// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/source_session.hpp: one teleport at the source, from the first
// record to the report. Joins the state machines to the connection, the disks,
// libxl and the terminal; decides nothing itself.
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

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/migrate/handover.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/migrate/plan.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/loop.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/xen/guardian.hpp"
#include "xl-teleport/setup/settings.hpp"
#include "xl-teleport/source/disk_mover.hpp"
#include "xl-teleport/source/fate_query.hpp"
#include "xl-teleport/source/memory_mover.hpp"
#include "xl-teleport/source/options.hpp"
#include "xl-teleport/source/progress_view.hpp"
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
  /// SIGINT or SIGTERM: the guest stays, unless GO has been given.
  void cancel();
  [[nodiscard]] const move_report& report() const noexcept { return report_; }
  /// The phase in which the link was lost; nullopt: something else ended it, or
  /// the guest was suspended, and whether that is tried again is not ours.
  [[nodiscard]] std::optional<move_phase> lost_link_in() const noexcept {
    return lost_link_in_;
  }

 private:
  using clock = std::chrono::steady_clock;

  // set_up.cpp: from the connection to the prepared targets
  void connected(result<std::shared_ptr<connection>> link);
  void on_record(const raw_record& record);
  result<void> take(const raw_record& record);
  result<void> on_hello(const raw_record& record);
  result<void> on_answer(const raw_record& record);
  result<void> on_prepared(const raw_record& record);
  [[nodiscard]] result<void> prepare_here();
  void make_movers();
  void refuse(const std::vector<problem>& problems);

  // source_session.cpp: the move itself
  void pass_done();
  void weigh_later(std::chrono::milliseconds pause);
  void weighed(std::uint64_t dirty);
  void start_memory();
  void guest_suspended();
  void memory_done(const result<void>& outcome);
  result<void> on_durable();
  result<void> on_received();
  result<void> on_result(const raw_record& record);

  // leaving.cpp: every way it can end
  void fail(const error& cause);
  void act(source_handover::action action);
  void stay();
  void stay_when_quiet();
  void finish();
  void ask();
  void end(exit_code code, std::string outcome);
  [[nodiscard]] result<void> write_journal(journal_state state);

  void enter(move_phase phase);
  void tick();

  event_loop& loop_;
  move_options options_;
  settings settings_;
  source_view view_;
  std::function<void(exit_code)> finished_;

  std::string id_;
  std::shared_ptr<connection> link_;
  bool greeted_ = false;
  bool preparing_ = false;
  bool set_up_on_pool_ = false;
  unique_fd guest_lock_;
  std::optional<journal> journal_;
  guardian_handle guardian_;
  source_handover handover_;
  convergence convergence_;
  std::unique_ptr<disk_mover> disks_;
  std::unique_ptr<memory_mover> memory_;
  std::unique_ptr<fate_query> query_;

  move_phase phase_ = move_phase::connect;
  clock::time_point start_ = clock::now();
  clock::time_point phase_start_ = start_;
  clock::time_point pass_start_;
  std::uint64_t pass_link_bytes_ = 0;
  std::optional<clock::time_point> suspended_at_;
  bool in_round_ = false;  ///< a pass or a weighing is under way
  bool memory_running_ = false;
  bool last_writes_sent_ = false;
  bool disks_complete_sent_ = false;
  bool failing_ = false;
  bool leaving_ = false;  ///< the guest is being let go on
  bool ended_ = false;
  std::optional<move_phase> lost_link_in_;
  timer tick_timer_;
  timer round_timer_;
  progress_view view_of_progress_;
  move_report report_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_SOURCE_SESSION_HPP
