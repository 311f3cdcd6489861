// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/seed_session.hpp: one seed at the source: disks cross the
// link while their guest, if there is one, runs on untouched. PROTOCOL.md,
// section 7.
//
// Where a tracker can follow the disks, what was written during the bulk is
// sent after it, once. The copy is that of no single moment; the teleport that
// adopts it proves every extent against the disk of its own moment.
//
// Threads: everything on the loop's thread; what blocks, on the pool.

#ifndef XL_TELEPORT_SOURCE_SEED_SESSION_HPP
#define XL_TELEPORT_SOURCE_SEED_SESSION_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libteleport/base/error.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/session/seed_course.hpp"
#include "libteleport/session/setup_records.hpp"
#include "xl-teleport/setup/settings.hpp"
#include "xl-teleport/source/disk_mover.hpp"
#include "xl-teleport/source/progress_view.hpp"
#include "xl-teleport/source/seed_report.hpp"

namespace teleport {

struct seed_request {
  guest_info guest;
  std::string host;
  std::uint16_t port = 0;
  link_rate bwlimit = 0;  ///< this seed's own
  link_options link;
  progress_view::style progress = progress_view::style::none;
};

class seed_session {
 public:
  /// @param finished  called once, last
  seed_session(event_loop& loop,
               seed_request request,
               settings config,
               std::function<void(const result<void>& outcome)> finished);

  void start();
  /// SIGINT or SIGTERM: what was transferred serves the next attempt.
  void cancel();
  /// Tells each second's progress to `told` as well.
  void tell_progress(progress_view::observer told) {
    view_.tell(std::move(told));
  }
  /// Whether it was the link that ended it, with disks under way.
  [[nodiscard]] bool lost_link() const noexcept {
    return lost_link_ && !report_.disks.empty();
  }
  [[nodiscard]] const seed_report& report() const noexcept { return report_; }

 private:
  using clock = std::chrono::steady_clock;

  void connected(result<std::shared_ptr<connection>> link);
  void on_record(const raw_record& record);
  result<void> take(const raw_record& record);
  void act();
  void perform(seed_action todo);
  void make_mover();
  void attach();
  void attached(const result<void>& outcome);
  void fail(const error& cause);
  void stop_disks();
  void end();
  void tick();

  event_loop& loop_;
  seed_request request_;
  settings settings_;
  std::function<void(const result<void>&)> finished_;

  seed_course course_;
  std::shared_ptr<connection> link_;
  std::unique_ptr<disk_mover> disks_;
  result<void> outcome_;
  bool lost_link_ = false;
  clock::time_point start_ = clock::now();
  timer tick_timer_;
  progress_view view_;
  seed_report report_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_SEED_SESSION_HPP
