// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/seed_reception.hpp: one seed at the destination, from SEED on: disks
// are taken in as those of a teleport are, and kept as shadows. Knows nothing
// of Xen but whether the guest runs here already, where that can be asked.
//
// Threads: the loop's thread; jobs on the pool touch only what they were given.
// Trust:   the peer is paired, and still every record is checked for its time.

#ifndef XL_TELEPORT_DESTINATION_SEED_RECEPTION_HPP
#define XL_TELEPORT_DESTINATION_SEED_RECEPTION_HPP

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/store.hpp"
#include "libteleport/migrate/content_lookup.hpp"
#include "libteleport/migrate/seed_order.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/loop.hpp"
#include "libteleport/session/setup_records.hpp"
#include "xl-teleport/destination/disk_intake.hpp"
#include "xl-teleport/destination/placement.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

class seed_reception {
 public:
  /// @param link, lookup  outlive this
  /// @param on_failed     something of this failed: call give_up()
  /// @param on_kept       SEEDED was queued: the session may end
  seed_reception(event_loop& loop,
                 const settings& options,
                 connection& link,
                 content_lookup& lookup,
                 std::function<void(const error& cause)> on_failed,
                 std::function<void()> on_kept);

  void start(seed_offer offered);
  result<void> on_record(const raw_record& record);
  /// Leaves everything as an attempt that may be repeated.
  /// @param done  called once nothing uses the disks any more
  void give_up(std::function<void()> done);

 private:
  void considered(const result<answer>& reply);
  void prepare();
  [[nodiscard]] result<void> prepare_here();
  void prepared(const result<void>& outcome);
  void keep();
  void kept(const result<void>& outcome);
  void leave_when_quiet();
  template <class Work>
  void on_pool(Work work, void (seed_reception::*then)(const result<void>&));

  event_loop& loop_;
  const settings& options_;
  connection& link_;
  content_lookup& lookup_;
  std::function<void(const error&)> on_failed_;
  std::function<void()> on_kept_;

  seed_order order_;
  seed_offer offered_;
  std::vector<unique_fd> locks_;
  std::optional<disk_book> book_;
  std::unique_ptr<disk_store> store_;
  std::unique_ptr<placement> placement_;
  std::unique_ptr<disk_intake> intake_;
  bool working_ = false;  ///< on the pool, the intake's jobs aside
  bool leaving_ = false;
  std::function<void()> left_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_SEED_RECEPTION_HPP
