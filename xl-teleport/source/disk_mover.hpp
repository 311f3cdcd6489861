// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/disk_mover.hpp: the source's disks, their trackers, and
// the sender that decides: passes over the disks, one after the other.
//
// Order: attach() -> start_bulk() -> targets_ready() -> on_pass_done -> weigh()
// or, the guest being suspended, take_last_marks() -> start_round() ->
// on_pass_done.
//
// Threads: the loop's thread; reading, hashing and tracker calls on the pool.

#ifndef XL_TELEPORT_SOURCE_DISK_MOVER_HPP
#define XL_TELEPORT_SOURCE_DISK_MOVER_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/block_device.hpp"
#include "libteleport/disk/dirty_tracker.hpp"
#include "libteleport/migrate/disk_sender.hpp"
#include "libteleport/migrate/known_content.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/xen/toolstack.hpp"
#include "xl-teleport/source/start_at_rest.hpp"

namespace teleport {

/// Makes what is known of a disk without reading it; null: nothing is.
using known_content_factory =
    std::function<std::unique_ptr<known_content>(const guest_disk&)>;

class disk_mover {
 public:
  struct events {
    std::function<void(record_type, byte_span)> send;
    /// Bytes that wait for the link.
    std::function<std::size_t()> queued;
    /// All of the pass was given to the link; answers are awaited. What the
    /// destination finds wrong may be sent again behind it. May be empty.
    std::function<void()> on_blocks_sent;
    /// Everything of the pass is proven at the destination.
    std::function<void()> on_pass_done;
    /// Bytes written by the guest since the last take; answers weigh().
    std::function<void(std::uint64_t dirty)> on_weighed;
    /// The last writes' marks are taken and audited; answers
    /// take_last_marks(). Empty where that is never called.
    std::function<void()> on_last_marks;
    std::function<void(error)> on_failed;
    /// After stop(): no job of this is on the pool any more.
    std::function<void()> on_rest;
  };

  disk_mover(event_loop& loop, events callbacks);

  /// Opens the disks and attaches a tracker to each that the guest may write.
  /// Blocks: pool thread, before anything else.
  ///
  /// @param set_paused  pauses the guest (true) and lets it go on: called where
  ///                    a disk never comes to rest by itself
  /// @param know        may be empty; called for each disk with a tracker after
  ///                    its barrier, so that whatever is written later than
  ///                    what is known here is marked
  result<void> attach(const std::vector<guest_disk>& disks,
                      const pause_call& set_paused,
                      const known_content_factory& know);

  /// Begins to read and hash; what is to be sent waits for targets_ready().
  void start_bulk();
  /// PREPARED has come.
  void targets_ready();
  /// Takes what was written since the last take and tells how much it is. It
  /// stays to be sent by the next start_round().
  void weigh();
  /// The guest is suspended: waits until its last writes are on the disk, takes
  /// their marks, and checks that none escaped the trackers and what was known
  /// of the disks.
  void take_last_marks();
  /// Sends what was taken.
  void start_round();

  /// EXTENT_STATES or WANTED.
  result<void> on_record(const raw_record& record);
  /// The link has taken what was queued.
  void pump();
  /// Starts nothing more.
  void stop() noexcept { stopped_ = true; }
  /// Lets go of the disks and their trackers.
  /// @pre at_rest()
  void close() noexcept { disks_.clear(); }
  /// No job of this is on the pool: it may be destroyed.
  [[nodiscard]] bool at_rest() const noexcept { return jobs_ == 0; }

  /// The pass under way, by disks in attach()'s order.
  ///
  /// @pre start_bulk() was called
  [[nodiscard]] const std::vector<pass_count>& pass_counts() const noexcept {
    return sender_->pass();
  }
  /// Bytes of blocks that the destination asked for.
  ///
  /// @pre start_bulk() was called
  [[nodiscard]] std::uint64_t bytes_wanted() const noexcept {
    return sender_->bytes_wanted();
  }
  /// What was read here, and what was known without.
  [[nodiscard]] source_counts counts() const noexcept {
    return sender_ ? sender_->counts() : source_counts();
  }

 private:
  struct moved_disk {
    std::unique_ptr<block_device> device;
    std::unique_ptr<dirty_tracker> tracker;  ///< none for a read-only disk
    std::unique_ptr<known_content> known;    ///< none: all of it is read
    dirty_map dirty;                         ///< taken and not yet sent
  };

  result<void> take_all(bool last);
  void take_then(bool last, std::function<void()> go_on);
  void begin_pass();
  void job_over();

  event_loop& loop_;
  events events_;
  std::vector<moved_disk> disks_;
  std::unique_ptr<disk_sender> sender_;
  block_packer packer_;  ///< one job at a time has it
  std::size_t jobs_ = 0;
  enum class pass { none, sending, sent };  ///< sent: to be answered
  pass pass_ = pass::none;
  bool targets_ready_ = false;
  /// To be sent when they are; as many extents as may be under way.
  std::vector<raw_record> early_;
  bool stopped_ = false;
};

/// send() and queued() of a mover whose records cross this link: blocks in
/// their turn, before any memory, and ahead of them what the destination
/// answers.
///
/// @param link  outlives the mover
[[nodiscard]] disk_mover::events events_on(connection& link);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_DISK_MOVER_HPP
