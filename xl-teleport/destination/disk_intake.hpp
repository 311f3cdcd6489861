// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/disk_intake.hpp: runs a disk_receiver: its jobs on
// the pool, its records to the link. What a teleport and a seed have in common
// at the destination.
//
// Threads: the loop's thread; jobs on the pool touch only what they were given.

#ifndef XL_TELEPORT_DESTINATION_DISK_INTAKE_HPP
#define XL_TELEPORT_DESTINATION_DISK_INTAKE_HPP

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/before_images.hpp"
#include "libteleport/migrate/disk_receiver.hpp"
#include "libteleport/net/event_loop.hpp"
#include "xl-teleport/destination/donor_meter.hpp"

namespace teleport {

class disk_intake {
 public:
  struct events {
    std::function<void(const raw_record& record)> send;
    std::function<void(const error& cause)> on_failed;
    /// at_rest() has become true after stop().
    std::function<void()> on_rest;
  };

  /// @param lookup      outlives this; is told what digests were named
  /// @param state_path  has room for what is overwritten on shadows
  /// @param disk_bytes  sizes in the OFFER's order
  disk_intake(event_loop& loop,
              donor_meter& lookup,
              std::string state_path,
              const std::vector<std::uint64_t>& disk_bytes,
              events callbacks);
  disk_intake(const disk_intake&) = delete;
  disk_intake& operator=(const disk_intake&) = delete;
  disk_intake(disk_intake&&) = delete;
  disk_intake& operator=(disk_intake&&) = delete;
  ~disk_intake() { lookup_.settle(receiver_.digests()); }

  /// @param targets  in the OFFER's order; used by jobs until they are at rest
  void set_targets(std::vector<target_disk> targets);

  /// EXTENTS, BLOCK_DIGESTS or EXTENT_DATA.
  result<void> on_record(const raw_record& record);
  /// Says nothing more. What has arrived is still proven and brought to the
  /// disk, so that it need not cross the link again, unless a job has failed.
  void stop() noexcept {
    stopped_ = true;
    receiver_.forget_announced();
  }
  /// No job of this is on the pool.
  [[nodiscard]] bool at_rest() const noexcept { return jobs_ == 0; }

  /// Bytes that were given to the targets.
  [[nodiscard]] std::uint64_t written() const noexcept;

  [[nodiscard]] const disk_receiver& state() const noexcept {
    return receiver_;
  }

 private:
  void pump();

  event_loop& loop_;
  donor_meter& lookup_;
  std::string state_path_;
  disk_receiver receiver_;
  events events_;
  std::unique_ptr<before_images> before_;
  std::vector<target_disk> targets_;
  block_unpacker unpacker_;  ///< one job at a time has it
  std::size_t jobs_ = 0;
  bool stopped_ = false;
  bool broken_ = false;  ///< a job has failed
};

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_DISK_INTAKE_HPP
