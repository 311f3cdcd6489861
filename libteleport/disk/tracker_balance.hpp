// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/tracker_balance.hpp: proves a tracker: its count of sectors
// written against the kernel's own, from one moment at rest to another.
//
// A moment at rest is one without a write in flight. On a device-mapper device
// it is made, by suspending it; on others it is waited for.
//
// Threads: one owner. Blocks: start_barrier() waits for writes in flight;
// idle() some milliseconds.

#ifndef LIBTELEPORT_DISK_TRACKER_BALANCE_HPP
#define LIBTELEPORT_DISK_TRACKER_BALANCE_HPP

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/dirty_map.hpp"
#include "libteleport/disk/disk_facts.hpp"
#include "libteleport/disk/tracker_programs.hpp"

namespace teleport {

/// The kernel's and our count of sectors at one moment at rest.
struct baseline {
  std::uint64_t kernel = 0;
  std::uint64_t ours = 0;
  std::uint64_t unpaired = 0;

  bool operator==(const baseline&) const = default;
};

/// Why marks may be missing, by the counts of two moments at rest.
///
/// @param counted  at the second of the two
/// @return empty when every write between them is marked
[[nodiscard]] std::string missed_writes(const baseline& before,
                                        const baseline& after,
                                        const tracker_counters& counted);

class tracker_balance {
 public:
  /// @param disk, programs  must outlive this
  tracker_balance(const disk_facts& disk, const tracker_programs& programs)
      : disk_(disk), programs_(programs) {}

  /// As dirty_tracker's.
  result<void> start_barrier(std::chrono::milliseconds limit);
  result<bool> idle();
  result<void> audit();

  /// Where start_barrier() found the counts, and how they are known again by
  /// the next process.
  [[nodiscard]] const std::optional<baseline>& base() const { return base_; }
  void set_base(const baseline& counts) { base_ = counts; }

  /// Marks what is in flight once more, for the next take.
  ///
  /// @param grain  bytes of a mark
  /// @return the same, as a map
  [[nodiscard]] result<dirty_map> mark_pending(std::size_t grain) const;

 private:
  using clock = std::chrono::steady_clock;
  /// A moment when the device mapper had drained the device.
  struct drain_mark {
    std::uint64_t serial = 0;  // of the first write that may come after it
    clock::time_point when;
  };

  /// Pending writes without those that were given up.
  [[nodiscard]] result<std::vector<pending_write>> live_writes() const;
  /// The range of a write inside our window, in bytes.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> window_of(
      const pending_write& write) const;
  /// Counts of a moment at rest, or none when there is no rest now.
  ///
  /// @param may_drain  a device-mapper device may be suspended for certainty
  result<std::optional<baseline>> rest(bool may_drain);
  /// Waits until all writes that a device-mapper device has begun have ended,
  /// and makes their count the base, if wanted.
  ///
  /// The rest of a write that was just being split then waits at the door with
  /// the new ones, and is begun at once when the device goes on: it has ended
  /// at the drain after this one.
  ///
  /// @param limit  for the writes in flight to end
  /// @error as drain_writes()
  result<void> drain(bool count, std::chrono::milliseconds limit);
  /// The same, also when others have the device until then.
  result<void> drain_by(bool count, clock::time_point deadline);
  /// Counts while the device mapper lets nothing through, or nothing when the
  /// counts do not come to rest.
  [[nodiscard]] std::optional<baseline> count_drained() const;
  /// Gives up those of `writes` that were there long ago and are not running.
  result<void> forget_stale(const std::vector<pending_write>& writes,
                            bool may_drain);

  const disk_facts& disk_;
  const tracker_programs& programs_;
  std::optional<baseline> base_;
  /// Writes with lesser serials have ended, whether that was seen or not.
  std::uint64_t drained_before_ = 0;
  std::optional<drain_mark> drained_;
  /// Serials of pending writes, and when they were first seen at rest.
  std::unordered_map<std::uint64_t, clock::time_point> seen_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_TRACKER_BALANCE_HPP
