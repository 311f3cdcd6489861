// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/standing_tracker.hpp: a tracker that stays with its disk for
// as long as the disk is there, whoever comes and goes: for an index that is to
// know at any time which of its digests are old.
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
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/dirty_map.hpp"
#include "libteleport/disk/disk_facts.hpp"
#include "libteleport/disk/tracker_balance.hpp"
#include "libteleport/disk/tracker_programs.hpp"

namespace teleport {

/// Where standing trackers are pinned.
inline constexpr const char* standing_folder = "/sys/fs/bpf/xl-teleport";

/// Which state of the index the marks count from; kept with the marks.
struct index_stand {
  std::uint32_t disk = 0;   ///< its id in the index; 0: none was scanned yet
  std::uint64_t epoch = 0;  ///< of the disk's record, at least
};

class standing_tracker {
 public:
  /// Attaches to a disk and pins; a tracker that was there before is removed.
  ///
  /// @param folder  in a BPF file system; made if need be
  /// @error as dirty_tracker's attach() and start_barrier();
  ///        errc::unsupported where no BPF file system is mounted
  [[nodiscard]] static result<std::unique_ptr<standing_tracker>> attach(
      const std::string& folder,
      const std::string& device,
      std::chrono::milliseconds limit);
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

  [[nodiscard]] const index_stand& stand() const noexcept { return stand_; }
  [[nodiscard]] result<void> set_stand(const index_stand& stand);
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
  [[nodiscard]] result<void> check_table() const;
  [[nodiscard]] result<void> write_note() const;
  [[nodiscard]] result<void> read_note();

  disk_facts disk_;
  tracker_programs programs_;
  std::size_t grain_;
  tracker_balance balance_{disk_, programs_};
  index_stand stand_;
  std::uint64_t table_ = 0;  ///< table_digest(), when the tracker began
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_STANDING_TRACKER_HPP
