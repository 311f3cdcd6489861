// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/seed_reception.hpp: the driver of one seed at the
// destination, from SEED on: it does what seed_destination_course says. Disks
// are rebuilt as those of a teleport are, and kept as shadows. Of Xen it asks
// only whether the guest is here already.
//
// Threads: the loop's thread; jobs on the pool touch only what they were given.
// Trust:   the peer is paired. The course checks a record's time.

#ifndef XL_TELEPORT_DESTINATION_SEED_RECEPTION_HPP
#define XL_TELEPORT_DESTINATION_SEED_RECEPTION_HPP

#include <functional>
#include <memory>

#include "libteleport/base/error.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/session/seed_destination_course.hpp"
#include "libteleport/session/setup_records.hpp"
#include "xl-teleport/destination/disk_intake.hpp"
#include "xl-teleport/destination/donor_meter.hpp"
#include "xl-teleport/destination/guest_hold.hpp"
#include "xl-teleport/destination/known_peer.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

class seed_reception {
 public:
  /// @param peer, link, lookup  outlive this
  /// @param on_failed     something of this failed: call give_up()
  /// @param on_kept       SEEDED was queued: the session may end
  seed_reception(event_loop& loop,
                 const settings& options,
                 const known_peer& peer,
                 connection& link,
                 donor_meter& lookup,
                 std::function<void(const error& cause)> on_failed,
                 std::function<void()> on_kept);

  void start(seed_offer offered);
  [[nodiscard]] seed_destination_state at() const noexcept {
    return course_.at();
  }
  [[nodiscard]] const seed_offer& offered() const noexcept { return offered_; }
  result<void> on_record(const raw_record& record);
  /// nullptr before PREPARED.
  [[nodiscard]] const disk_intake* intake() const noexcept {
    return intake_.get();
  }
  /// Leaves everything as an attempt that may be repeated.
  /// @param done  called once nothing uses the disks any more
  void give_up(std::function<void()> done);

 private:
  using action = seed_destination_course::action;

  void considered(const result<answer>& reply);
  result<void> perform(action next, const raw_record& record = {});
  void make_intake();
  void send_seeded();
  void leave_when_quiet();
  template <class Work, class Then>
  void on_pool(Work work, Then then);

  event_loop& loop_;
  const settings& options_;
  const known_peer& peer_;
  connection& link_;
  donor_meter& lookup_;
  std::function<void(const error&)> on_failed_;
  std::function<void()> on_kept_;

  seed_destination_course course_;
  seed_offer offered_;
  guest_hold hold_;
  std::unique_ptr<disk_intake> intake_;
  bool working_ = false;  ///< on the pool, the intake's jobs aside
  bool leaving_ = false;
  std::function<void()> left_;
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_SEED_RECEPTION_HPP
