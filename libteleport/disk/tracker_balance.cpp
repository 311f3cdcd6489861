// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/tracker_balance.hpp"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libteleport/base/units.hpp"
#include "libteleport/disk/device_drain.hpp"

namespace teleport {

namespace {

using std::chrono::milliseconds;

/// Between two looks at the kernel's count of writes in flight. Kernels before
/// 6.14 do not count requests that wait in an I/O scheduler; longer than BFQ's
/// idling of 8 ms.
constexpr milliseconds rest_time(10);

/// The same for writes from before the tracker, of which the table knows
/// nothing: also longer than a thread on its way from the submission to the
/// driver may have to wait for a processor.
constexpr milliseconds first_rest_time(100);

/// A pending write has ended unseen when in this time no look found any write
/// in flight. Short, as the guest waits for it in its suspension; an error
/// would be found by the audit, as the kernel would not have counted the write.
constexpr milliseconds stale_time(200);

/// From one drain to the one that ends the rests of split writes, too: time
/// for a thread of the kernel to split them to the end.
constexpr milliseconds between_drains(100);

/// For a drain that is to show whether a write ended unseen: new I/O of the
/// guest waits meanwhile.
constexpr milliseconds stale_drain_limit(1000);

/// LVM and others hold a device for moments, and tell nobody when they are
/// done.
constexpr milliseconds others_poll(50);

/// Looks at a drained device's counts until two in a row are equal.
constexpr int max_looks = 10;

}  // namespace

std::pair<std::uint64_t, std::uint64_t> tracker_balance::window_of(
    const pending_write& write) const {
  const std::uint64_t end = write.sector + write.bytes / sector_bytes;
  const std::uint64_t first = std::max(write.sector, disk_.start);
  const std::uint64_t last = std::min(end, disk_.start + disk_.sectors);
  return first < last ? std::pair((first - disk_.start) * sector_bytes,
                                  (last - first) * sector_bytes)
                      : std::pair(std::uint64_t{0}, std::uint64_t{0});
}

result<std::vector<pending_write>> tracker_balance::live_writes() const {
  auto writes = programs_.pending();
  if (!writes) {
    return writes;
  }
  const auto now = clock::now();
  std::erase_if(*writes, [&](const pending_write& write) {
    const auto found = seen_.find(write.serial);
    return write.serial < drained_before_ ||
           (!disk_.is_device_mapper && found != seen_.end() &&
            now - found->second >= stale_time);
  });
  return writes;
}

result<dirty_map> tracker_balance::mark_pending(std::size_t grain) const {
  const auto writes = live_writes();
  if (!writes) {
    return writes.error();
  }
  dirty_map pending(disk_.sectors * sector_bytes, grain);
  for (const pending_write& write : *writes) {
    const auto [offset, length] = window_of(write);
    pending.mark(offset, length);
  }
  const auto marks = programs_.marks();
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (pending.words()[i] != 0) {
      std::atomic_ref<std::uint64_t>(marks[i]).fetch_or(pending.words()[i]);
    }
  }
  return pending;
}

result<void> tracker_balance::forget_stale(
    const std::vector<pending_write>& writes, bool may_drain) {
  // Nothing is taken out of the kernel's table, where the same address may
  // belong to a new write by now: its serial differs. Those that are passed
  // over have been marked at every take until now.
  std::unordered_map<std::uint64_t, clock::time_point> still;
  const auto now = clock::now();
  bool any_stale = false;
  for (const pending_write& write : writes) {
    const auto found = seen_.find(write.serial);
    const auto since = found == seen_.end() ? now : found->second;
    any_stale = any_stale || now - since >= stale_time;
    still.emplace(write.serial, since);
  }
  if (any_stale && may_drain && disk_.is_device_mapper) {
    // The device's targets may hold writes that are not counted as in flight.
    seen_.clear();
    const auto drained = drain(false, stale_drain_limit);
    // Others have the device, or a write takes its time: no rest yet.
    return drained || drained.error().code == errc::busy ||
                   drained.error().code == errc::timeout
               ? result<void>()
               : drained;
  }
  // Writes given up earlier stay so.
  for (const auto& [serial, since] : seen_) {
    if (now - since >= stale_time) {
      still.emplace(serial, since);
    }
  }
  seen_ = std::move(still);
  return {};
}

result<std::optional<baseline>> tracker_balance::rest(bool may_drain) {
  const tracker_counters before = programs_.counters();
  const auto writes = live_writes();
  if (!writes) {
    return writes.error();
  }
  // In this order: a request leaves our table first, is counted in the
  // kernel's sum next, and leaves the count of those in flight last.
  const auto running = writes_in_flight(disk_);
  if (!running) {
    return running.error();
  }
  if (*running != 0) {
    seen_.clear();
    return std::optional<baseline>();
  }
  if (!writes->empty()) {
    const auto done = forget_stale(*writes, may_drain);
    return done ? result<std::optional<baseline>>(std::nullopt)
                : result<std::optional<baseline>>(done.error());
  }
  const auto sectors = sectors_written(disk_);
  if (!sectors) {
    return sectors.error();
  }
  const tracker_counters after = programs_.counters();
  if (after.submitted_writes != before.submitted_writes) {
    return std::optional<baseline>();
  }
  return std::optional(
      baseline{*sectors, after.submitted_sectors, after.unpaired});
}

result<bool> tracker_balance::idle() {
  auto first = rest(true);
  if (!first || !*first) {
    return first ? result<bool>(false) : result<bool>(first.error());
  }
  std::this_thread::sleep_for(rest_time);
  auto second = rest(true);
  if (!second) {
    return second.error();
  }
  return second->has_value() && (*second)->ours == (*first)->ours;
}

std::optional<baseline> tracker_balance::count_drained() const {
  // The device mapper says that all writes have ended when it has counted the
  // last of them, and only then goes on to bio_endio, where we see the end
  // (__dm_io_complete). A processor on its way between the two is waited for:
  // this is the kernel's synchronize_rcu. Where there is none (nohz_full), or
  // the thread can be preempted there, two equal looks must do.
  static_cast<void>(::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
  std::optional<baseline> last;
  for (int look = 0; look < max_looks; ++look) {
    const auto sectors = sectors_written(disk_);
    const tracker_counters before = programs_.counters();
    // What is submitted now waits at the device mapper's door, as do the rests
    // of writes that were just being split: they are in our sum, and not yet
    // in the kernel's.
    const auto left = programs_.sectors_left();
    const tracker_counters after = programs_.counters();
    if (!sectors || !left || after.missed_ends != 0 || after.reused != 0) {
      return std::nullopt;  // the table may hold writes that have ended
    }
    const baseline now{
        *sectors, after.submitted_sectors - *left, after.unpaired};
    if (before.submitted_writes == after.submitted_writes && last == now) {
      return now;
    }
    last = now;
    std::this_thread::sleep_for(rest_time);
  }
  return std::nullopt;
}

result<void> tracker_balance::drain_by(bool count, clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - clock::now());
    const auto drained = drain(count, std::max(left, milliseconds(0)));
    if (drained || drained.error().code != errc::busy ||
        clock::now() >= deadline) {
      return drained;
    }
    std::this_thread::sleep_for(others_poll);
  }
}

result<void> tracker_balance::drain(bool count, milliseconds limit) {
  const std::uint64_t serial = programs_.counters().submitted_writes;
  const auto drained =
      drain_writes(makedev(disk_.disk_major, disk_.disk_minor), limit, [&] {
        if (count) {
          base_ = count_drained();
        }
      });
  if (!drained) {
    return in_context(disk_.device, drained.error());
  }
  const auto now = clock::now();
  if (!drained_) {
    drained_ = drain_mark{serial, now};
  } else if (now - drained_->when >= between_drains) {
    drained_before_ = drained_->serial;
    drained_ = drain_mark{serial, now};
  }
  return {};
}

result<void> tracker_balance::start_barrier(milliseconds limit) {
  const auto deadline = clock::now() + limit;
  if (disk_.is_device_mapper) {
    // Since 5.18 the writes that a target holds back (delay, crypt, thin) are
    // not counted as in flight, so that a look at the count proves nothing.
    // Twice, for the rests of writes that were just being split.
    if (auto drained = drain_by(false, deadline); !drained) {
      return drained;
    }
    std::this_thread::sleep_for(between_drains);
    if (auto drained = drain_by(true, deadline); !drained || base_) {
      return drained;
    }
  }
  std::optional<clock::time_point> first_rest;
  std::uint64_t unpaired = 0;
  while (clock::now() < deadline) {
    const auto now_at_rest = rest(false);
    if (!now_at_rest) {
      return now_at_rest.error();
    }
    if (*now_at_rest) {
      const auto now = clock::now();
      if (!first_rest || (*now_at_rest)->unpaired != unpaired) {
        first_rest = now;
        unpaired = (*now_at_rest)->unpaired;
      } else if (now - *first_rest >= first_rest_time) {
        base_ = **now_at_rest;
        return {};
      }
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  return error(errc::timeout,
               disk_.device + " was written without a pause for " +
                   std::to_string(limit.count()) +
                   " ms: pause the guest for a moment and try again");
}

std::string missed_writes(const baseline& before,
                          const baseline& after,
                          const tracker_counters& counted) {
  const std::uint64_t kernel = after.kernel - before.kernel;
  const std::uint64_t ours = after.ours - before.ours;
  if (kernel != ours) {
    return "the kernel counts " + std::to_string(kernel) +
           " sectors written, the tracker " + std::to_string(ours);
  }
  if (counted.insert_failed != 0) {
    return std::to_string(counted.insert_failed) +
           " writes found no place in the table of pending ones";
  }
  if (counted.missed != 0) {
    return "the kernel left out the tracker " + std::to_string(counted.missed) +
           " times";
  }
  if (after.unpaired != before.unpaired) {
    return std::to_string(after.unpaired - before.unpaired) +
           " writes ended whose begin was not seen";
  }
  return {};
}

result<void> tracker_balance::audit() {
  if (auto sound = programs_.check_sound(); !sound) {
    return sound;
  }
  if (auto same = check_same_disk(disk_); !same) {
    return same;
  }
  if (!base_) {
    return error(errc::mismatch,
                 disk_.device + ": tracked without a start barrier");
  }
  const auto now = rest(false);
  if (!now) {
    return now.error();
  }
  if (!*now) {
    return error(errc::busy, disk_.device + ": writes are in flight");
  }
  const std::string missed = missed_writes(*base_, **now, programs_.counters());
  return missed.empty() ? result<void>()
                        : error(errc::mismatch, disk_.device + ": " + missed);
}

}  // namespace teleport
