// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/dirty_tracker.hpp: which blocks of a block device have been
// written, told by eBPF programs on the kernel's block tracepoints: no
// reconfiguration of the running guest's disk, and no acknowledged write lost.
//
// Order of use: attach() -> start_barrier() -> full copy -> take() per round ->
// guest suspended -> wait until idle() -> last take() -> audit(). A failed
// audit means that everything is dirty.
//
// Data must be read with O_DIRECT (file_device.hpp): blkback writes past the
// page cache.
//
// Threads: one owner. Blocks: start_barrier() waits for writes in flight;
// idle() some milliseconds.

#ifndef LIBTELEPORT_DISK_DIRTY_TRACKER_HPP
#define LIBTELEPORT_DISK_DIRTY_TRACKER_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "libteleport/base/block_mask.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/disk/dirty_map.hpp"

namespace teleport {

/// What rounds need of a tracker; a test puts a plain map behind it.
class write_tracker {
 public:
  write_tracker() = default;
  write_tracker(const write_tracker&) = delete;
  write_tracker& operator=(const write_tracker&) = delete;
  write_tracker(write_tracker&&) = delete;
  write_tracker& operator=(write_tracker&&) = delete;
  virtual ~write_tracker() = default;

  /// Everything written since the last take, plus what is still in flight.
  /// Data read after this returns is at least as new as the marks taken.
  ///
  /// @error errc::mismatch when the device is not the same any more
  [[nodiscard]] virtual result<dirty_map> take() = 0;

  /// Blocks of an extent written since the last take. Asked after the extent
  /// was read, it names every block of it that may be newer than that take.
  ///
  /// Threads: may be called from any, beside take().
  [[nodiscard]] virtual block_mask written_since(
      std::uint64_t extent) const = 0;

  /// True when no write is in flight now.
  [[nodiscard]] virtual result<bool> idle() = 0;

  /// Checks at an idle moment that no write escaped the tracker: its count of
  /// sectors equals the kernel's own, nothing overflowed, programs attached.
  ///
  /// @error errc::mismatch with what differs: treat every block as dirty;
  ///        errc::busy when writes are in flight: ask again when idle()
  [[nodiscard]] virtual result<void> audit() = 0;
};

/// What a tracker has counted since it was attached.
struct tracker_counters {
  std::uint64_t submitted_sectors = 0;
  std::uint64_t submitted_writes = 0;
  /// Ends of writes that were not seen: each costs a second copy.
  std::uint64_t reused = 0;
  /// More than 0 means that marks may be missing.
  std::uint64_t insert_failed = 0;
  /// Ends of writes whose begin was not seen: begun before attach().
  std::uint64_t unpaired = 0;
  /// Times the kernel did not run the submission program.
  std::uint64_t missed = 0;
  /// Times it did not run a program at a write's end, or that program could
  /// not strike the write off the table: as reused.
  std::uint64_t missed_ends = 0;
  /// Writes in the table of pending ones, those given up included.
  std::uint64_t pending = 0;
};

class dirty_tracker : public write_tracker {
 public:
  /// Loads and attaches the programs for one block device (whole disk or
  /// partition), whatever lies below it. Marks are 4 KiB up to 256 GiB, and
  /// 64 KiB beyond.
  ///
  /// @param device  path of the device that blkback opened
  /// @error errc::unsupported when the kernel has no BTF or refuses BPF, with
  ///        what to do
  [[nodiscard]] static result<std::unique_ptr<dirty_tracker>> attach(
      const std::string& device);

  /// Waits until no write that was queued before attach() is in flight. A
  /// device-mapper device is suspended for that, for as long as the slowest of
  /// its writes takes; others must be found at rest.
  ///
  /// @error errc::timeout when the device never came to rest: pause the guest
  ///        for a moment, and call again
  virtual result<void> start_barrier(std::chrono::milliseconds limit) = 0;

  [[nodiscard]] virtual tracker_counters counters() const = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DIRTY_TRACKER_HPP
