// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/destination_session.hpp: one teleport at the destination: records in,
// disks and the guest out; a seed is handed to seed_reception. Joins the state machines to the connection, the
// pool, the index and xl; decides nothing itself.
//
// Threads: everything on the loop's thread; jobs on the pool touch only what
//          they were given.
// Trust:   the peer is paired, and still every record is checked for its time.

#ifndef XL_TELEPORT_DESTINATION_DESTINATION_SESSION_HPP
#define XL_TELEPORT_DESTINATION_DESTINATION_SESSION_HPP

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/store.hpp"
#include "libteleport/migrate/content_lookup.hpp"
#include "libteleport/migrate/handover.hpp"
#include "libteleport/migrate/journal.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/loop.hpp"
#include "libteleport/session/setup_records.hpp"
#include "xl-teleport/destination/disk_intake.hpp"
#include "xl-teleport/destination/guest_arrival.hpp"
#include "xl-teleport/destination/placement.hpp"
#include "xl-teleport/destination/seed_reception.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

class destination_session {
 public:
  /// @param finished  called once, last, with the process's exit code
  destination_session(event_loop& loop,
                      settings options,
                      std::shared_ptr<connection> link,
                      std::unique_ptr<content_lookup> lookup,
                      std::function<void(int)> finished);

  void start();
  /// SIGTERM: gives up unless the guest is past GO.
  void cancel();

 private:
  enum class phase {
    greeting,
    offering,
    considering,
    answered,
    preparing,
    receiving,
    settling,
    arriving,
    seeding,
    ending,
  };

  void on_record(raw_record record);
  result<void> take(const raw_record& record);
  result<void> on_hello(const raw_record& record);
  result<void> on_query(const raw_record& record);
  result<void> on_offer(const raw_record& record);
  result<void> on_seed(const raw_record& record);
  result<void> on_prepare();
  result<void> on_disk_record(const raw_record& record);
  result<void> on_config(const raw_record& record);
  result<void> on_stream_piece(const raw_record& record);
  result<void> on_disks_complete();
  result<void> on_go();
  void on_link_lost(const error& cause);

  void prepared(const result<void>& outcome);
  void settled(const result<void>& outcome, const std::string& config);
  void disks_durable(const result<void>& outcome);
  void guest_built();
  void guest_started(bool runs);
  void on_xl_failed(const error& cause);
  void fail(const error& cause);
  void act(destination_handover::action action);
  void give_up();
  void end(int exit_code);
  [[nodiscard]] result<void> write_journal(journal_state state);
  [[nodiscard]] result<void> prepare_here();

  event_loop& loop_;
  settings options_;
  std::shared_ptr<connection> link_;
  std::unique_ptr<content_lookup> lookup_;
  std::function<void(int)> finished_;

  phase phase_ = phase::greeting;
  destination_handover handover_;
  std::optional<offer> offer_;
  std::optional<journal> journal_;
  std::optional<disk_book> book_;
  unique_fd session_lock_;
  std::vector<unique_fd> guest_locks_;
  std::unique_ptr<disk_store> store_;
  std::unique_ptr<placement> placement_;
  std::unique_ptr<disk_intake> intake_;
  std::size_t jobs_ = 0;  ///< on the pool, the intake's aside
  std::unique_ptr<seed_reception> seed_;
  std::unique_ptr<guest_arrival> arrival_;
  bool failed_ = false;
  std::string failure_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_DESTINATION_SESSION_HPP
