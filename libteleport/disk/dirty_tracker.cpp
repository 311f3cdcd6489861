// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/dirty_tracker.hpp"

#include <atomic>
#include <utility>

#include "libteleport/base/units.hpp"
#include "libteleport/disk/disk_facts.hpp"
#include "libteleport/disk/tracker_balance.hpp"
#include "libteleport/disk/tracker_programs.hpp"

namespace teleport {

namespace {

class kernel_tracker final : public dirty_tracker {
 public:
  kernel_tracker(disk_facts disk, tracker_programs programs, std::size_t grain)
      : disk_(std::move(disk)), programs_(std::move(programs)), grain_(grain) {}

  result<dirty_map> take() override;
  [[nodiscard]] block_mask written_since(std::uint64_t extent) const override;
  result<bool> idle() override { return balance_.idle(); }
  result<void> audit() override { return balance_.audit(); }
  result<void> start_barrier(std::chrono::milliseconds limit) override {
    return balance_.start_barrier(limit);
  }
  [[nodiscard]] tracker_counters counters() const override;

 private:
  disk_facts disk_;
  tracker_programs programs_;
  std::size_t grain_;
  tracker_balance balance_{disk_, programs_};
};

result<dirty_map> kernel_tracker::take() {
  if (auto same = check_same_disk(disk_); !same) {
    return same.error();
  }
  dirty_map taken(disk_.sectors * sector_bytes, grain_);
  // First the marks, ...
  const auto marks = programs_.marks();
  const auto words = taken.words();
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const std::atomic_ref<std::uint64_t> word(marks[i]);
    if (word.load(std::memory_order_relaxed) != 0) {
      words[i] = word.exchange(0);
    }
  }
  std::atomic_thread_fence(std::memory_order_seq_cst);
  // ... then the table. A write whose mark was taken is still pending now, and
  // is marked again for the next round; or it had ended before the caller
  // reads.
  const auto again = balance_.mark_pending(grain_);
  if (!again) {
    return again;
  }
  taken.merge(*again);
  return taken;
}

block_mask kernel_tracker::written_since(std::uint64_t extent) const {
  block_mask blocks;
  const auto marks = programs_.marks();
  for (std::size_t i = 0; i < extent_blocks; ++i) {
    const std::uint64_t bit =
        (extent * extent_bytes + i * block_bytes) / grain_;
    if (bit / 64 < marks.size()) {
      const std::atomic_ref<std::uint64_t> word(marks[bit / 64]);
      if ((word.load(std::memory_order_acquire) >> (bit % 64) & 1U) != 0) {
        blocks.set(i);
      }
    }
  }
  return blocks;
}

tracker_counters kernel_tracker::counters() const {
  tracker_counters now = programs_.counters();
  if (const auto writes = programs_.pending()) {
    now.pending = writes->size();
  }
  return now;
}

}  // namespace

result<std::unique_ptr<dirty_tracker>> dirty_tracker::attach(
    const std::string& device) {
  auto disk = find_disk(device);
  if (!disk) {
    return disk.error();
  }
  const auto grain = mark_grain(*disk);
  if (!grain) {
    return grain.error();
  }
  auto programs =
      tracker_programs::attach(*disk, *grain, tracker_life::of_process);
  if (!programs) {
    return in_context(device, programs.error());
  }
  return std::unique_ptr<dirty_tracker>(std::make_unique<kernel_tracker>(
      std::move(*disk), std::move(*programs), *grain));
}

}  // namespace teleport
