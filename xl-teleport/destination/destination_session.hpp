// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/destination_session.hpp: the driver of one teleport
// at the destination. It does what destination_course says, with the
// connection, the pool, the index and xl, and tells the course what came of it.
// A seed is handed to seed_reception.
//
// Threads: everything on the loop's thread; jobs on the pool touch only what
//          they were given.
// Trust:   the peer is paired. The course checks a record's time, and whoever
//          decodes its body that.

#ifndef XL_TELEPORT_DESTINATION_DESTINATION_SESSION_HPP
#define XL_TELEPORT_DESTINATION_DESTINATION_SESSION_HPP

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/session/destination_course.hpp"
#include "libteleport/session/flush_plan.hpp"
#include "libteleport/session/setup_records.hpp"
#include "libteleport/session/source_silence.hpp"
#include "libteleport/session/standstill.hpp"
#include "xl-teleport/destination/arrival_sight.hpp"
#include "xl-teleport/destination/disk_intake.hpp"
#include "xl-teleport/destination/donor_meter.hpp"
#include "xl-teleport/destination/guest_arrival.hpp"
#include "xl-teleport/destination/guest_hold.hpp"
#include "xl-teleport/destination/known_peer.hpp"
#include "xl-teleport/destination/memory_turn.hpp"
#include "xl-teleport/destination/seed_reception.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

class destination_session {
 public:
  /// @param peer      at the link's other end. What it may do is read once: a
  ///                  session whose peer's rights change is to be cancelled
  /// @param finished  called once, last, with the process's exit code
  destination_session(event_loop& loop,
                      settings options,
                      known_peer peer,
                      std::shared_ptr<connection> link,
                      std::unique_ptr<donor_meter> lookup,
                      std::function<void(int)> finished);

  void start();
  /// Refuses teleports and seeds: there are too many.
  void allow_only_questions() { only_questions_ = true; }
  /// Gives up unless the guest is past GO.
  /// @param why  SIGTERM, say, or that the peer was unpaired
  void cancel(const std::string& why);
  [[nodiscard]] arrival_sight look() const;

 private:
  using action = destination_course::action;

  void on_record(const raw_record& record);
  void on_link_lost(const error& cause);
  void on_xl_failed(const error& cause);
  void fail(const error& cause);
  void refuse(const error& cause);
  [[nodiscard]] result<void> check_place() const;
  void watch_silence();
  [[nodiscard]] result<void> check_silence();
  [[nodiscard]] result<void> check_turn();
  [[nodiscard]] std::optional<std::chrono::seconds> silence_limit() const;

  void perform(const destination_course::actions& todo,
               const raw_record& record = {});
  result<void> step(action next, const raw_record& record);
  void send(action next);
  // destination_steps.cpp: what takes longer than a line
  template <class Work, class Then>
  void on_pool(Work work, Then then);
  result<void> greet(const raw_record& record);
  result<void> answer_query(const raw_record& record);
  result<void> receive_seed(const raw_record& record);
  result<void> consider(const raw_record& record);
  void prepare();
  void make_intake();
  void tell_of_targets();
  void tell_of_disks(const raw_record& record);
  void take_turn();
  void send_turn();
  void start_xl(const raw_record& record);
  result<void> feed_configuration(const std::string& config);
  [[nodiscard]] gate_hook hook_at_gate() const;
  result<void> feed_xl(const raw_record& record);
  void on_gate_hook(const result<void>& ran);
  void plan_flush();
  void flush_beside();
  void flush();
  void write_journal(journal_state state);
  void release_disks(bool to_guest);
  void destroy();
  void destroy_when_quiet();
  void end();

  event_loop& loop_;
  settings options_;
  const known_peer peer_;
  std::shared_ptr<connection> link_;
  std::unique_ptr<donor_meter> lookup_;
  std::function<void(int)> finished_;

  destination_course course_;
  error failure_{errc::protocol, ""};  ///< what FAIL says
  offer offer_;
  answer answer_;
  guest_hold hold_;
  std::unique_ptr<disk_intake> intake_;
  memory_turn turn_;
  /// Sent once the turn is held, to a source that takes no turns: without them
  /// it sends no memory.
  std::vector<raw_record> kept_back_;
  std::unique_ptr<guest_arrival> arrival_;
  std::unique_ptr<seed_reception> seed_;
  std::size_t jobs_ = 0;  ///< on the pool, the intake's aside
  flush_plan flushes_;    ///< while blocks come
  timer flush_timer_;
  timer opening_;       ///< runs until the peer has said what it wants
  standstill silence_;  ///< of what the link carries
  timer silence_look_;
  bool only_questions_ = false;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_DESTINATION_SESSION_HPP
