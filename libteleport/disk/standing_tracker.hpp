// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/standing_tracker.hpp: a tracker that outlives processes: it
// follows its disk until the next boot, so that the index knows at any time
// which of its digests are old.
//
// Its programs and maps are pinned in a BPF file system, which lives until the
// next boot. Marks go three ways: the kernel sets them in `marks`; the owner's
// collect() moves them to `taken`; served() clears those there, once what was
// read is on stable storage in the index. At every instant a write that the
// index does not know is in one of the two maps, so that a kill at any moment
// costs a second reading and nothing else.
//
// Order of use, by the owner: attach() or adopt() -> collect() -> read what is
// taken -> make it durable -> served(). By others: adopt() -> is_dirty().
//
// Threads: one owner of a disk among all processes (the caller's lock);
//          is_dirty() from any thread of any process.
// Blocks: attach() waits for writes in flight; the rest shortly.

#ifndef LIBTELEPORT_DISK_STANDING_TRACKER_HPP
#define LIBTELEPORT_DISK_STANDING_TRACKER_HPP

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_id.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/dirty_map.hpp"
#include "libteleport/disk/disk_facts.hpp"
#include "libteleport/disk/tracker_balance.hpp"
#include "libteleport/disk/tracker_programs.hpp"

namespace teleport {

/// Where standing trackers are pinned.
inline constexpr const char* standing_folder = "/sys/fs/bpf/xl-teleport";

/// What a tracker is attached for; never changes during its life.
struct tracker_purpose {
  /// The index that its marks are served into. Another index, though it lies in
  /// the same folder, never had those marks: it needs a tracker of its own.
  unique_id index;
  /// The domain that has the disk; 0: no guest has it, or several have. What is
  /// known of a disk is relied on for this guest alone: while a guest has a
  /// disk, nobody else may write it, and nobody may exchange what lies below.
  std::uint32_t guest = 0;
};

/// Moves marks from one map to another, word by word: at every instant a mark
/// is in one of the two, also for who looks meanwhile, and after a kill.
///
/// @param marks, taken  shared with the kernel and with other processes
/// @param moved         the marks that were moved are added; as long as the two
void move_marks(std::span<std::uint64_t> marks,
                std::span<std::uint64_t> taken,
                std::span<std::uint64_t> moved);

class standing_tracker {
 public:
  /// Attaches to a disk and pins; a tracker that was there before is removed.
  ///
  /// @param folder  in a BPF file system; made if need be
  /// @error as dirty_tracker's attach() and start_barrier();
  ///        errc::unsupported where no BPF file system is mounted, and for a
  ///        disk of a kind that changes without a write (device_stack.hpp)
  [[nodiscard]] static result<std::unique_ptr<standing_tracker>> attach(
      const std::string& folder,
      const std::string& device,
      const tracker_purpose& purpose,
      std::chrono::milliseconds limit);
  /// Whether this host can have any.
  ///
  /// @error errc::unsupported with what its kernel lacks
  [[nodiscard]] static result<void> check_host(const std::string& folder);
  /// Takes over the disk's tracker.
  ///
  /// @error errc::not_found when there is none; errc::mismatch when it is of
  ///        another release, or not attached to this very disk any more
  [[nodiscard]] static result<std::unique_ptr<standing_tracker>> adopt(
      const std::string& folder, const std::string& device);
  /// Paths of the devices that have a tracker; not all need be there.
  [[nodiscard]] static std::vector<std::string> devices(
      const std::string& folder);
  /// Detaches all trackers but those of these devices, as they are now.
  static void keep_only(const std::string& folder,
                        const std::vector<std::string>& devices);
  /// Detaches the tracker, or does nothing where there is none.
  static void remove(const std::string& folder, const std::string& device);

  standing_tracker(const standing_tracker&) = delete;
  standing_tracker& operator=(const standing_tracker&) = delete;
  standing_tracker(standing_tracker&&) = delete;
  standing_tracker& operator=(standing_tracker&&) = delete;
  ~standing_tracker() = default;

  /// Moves the marks to `taken`.
  ///
  /// @return what was written since the last call, or is in flight
  [[nodiscard]] result<dirty_map> collect();
  /// The index holds on stable storage what the extent held after the last
  /// collect().
  void served(std::uint64_t extent);
  /// Everything that the index may not know.
  [[nodiscard]] dirty_map behind() const;
  /// Whether the index may not know what the extent holds.
  ///
  /// What is not dirty now was in the index before now, unless it is being
  /// written now.
  [[nodiscard]] bool is_dirty(std::uint64_t extent) const;

  /// As dirty_tracker's.
  [[nodiscard]] result<bool> idle() { return balance_.idle(); }
  [[nodiscard]] result<void> audit();

  /// Drawn when it was attached: no other tracker, of this disk or of another,
  /// in this boot or in another, has the same.
  [[nodiscard]] const unique_id& life() const noexcept { return life_; }
  [[nodiscard]] const tracker_purpose& purpose() const noexcept {
    return purpose_;
  }
  /// Marks that were served() are in the index from this epoch of the disk's
  /// record on; 0: none was served yet.
  [[nodiscard]] std::uint64_t served_epoch() const noexcept { return epoch_; }
  /// To be called before the first served() of extents of that epoch.
  [[nodiscard]] result<void> set_served_epoch(std::uint64_t epoch);
  /// Reads served_epoch() anew, which the tracker's owner may have raised.
  ///
  /// @error errc::mismatch when it is not the same tracker any more
  [[nodiscard]] result<void> read_note();
  [[nodiscard]] const std::string& device() const noexcept {
    return disk_.device;
  }
  [[nodiscard]] std::uint64_t disk_bytes() const noexcept {
    return disk_.sectors * sector_bytes;
  }

 private:
  standing_tracker(disk_facts disk,
                   tracker_programs programs,
                   std::size_t grain)
      : disk_(std::move(disk)), programs_(std::move(programs)), grain_(grain) {}
  /// That nothing below the device was exchanged.
  [[nodiscard]] result<void> check_stack() const;
  [[nodiscard]] result<void> write_note() const;

  disk_facts disk_;
  tracker_programs programs_;
  std::size_t grain_;
  tracker_balance balance_{disk_, programs_};
  unique_id life_;
  tracker_purpose purpose_;
  std::uint64_t epoch_ = 0;
  std::uint64_t stack_ = 0;  ///< stack_digest(), when the tracker began
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_STANDING_TRACKER_HPP
