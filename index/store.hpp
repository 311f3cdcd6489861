// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/store.hpp: the index's tables: which disks, what lies where, and the
// only code that changes them.
//
// Layout and order of writing: index/FORMAT.md. A scan fills a `changes` and
// hands it to apply(); readers see each bucket and each group either old or
// new, never half.
//
// Threads: reading calls from any thread; one changing call at a time in a
//          process (other processes wait for each other in LMDB).
// Blocks: on the disk.
// Trust: values are checked when they are read; what fails counts as absent.

#ifndef INDEX_STORE_HPP
#define INDEX_STORE_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "index/bucket_view.hpp"
#include "index/format.hpp"
#include "index/lmdb.hpp"
#include "index/pair_merge.hpp"
#include "index/path_list.hpp"
#include "index/pause_list.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport::index {

/// Disks by slot, as they were at one generation.
class disk_table {
 public:
  disk_table() = default;
  disk_table(std::vector<disk_record> disks, std::uint64_t generation);

  /// @return nullptr when no disk owns the slot
  [[nodiscard]] const disk_record* owner(slot_number slot) const noexcept;
  [[nodiscard]] const disk_record* by_id(std::uint32_t id) const noexcept;
  /// The disk that was scanned under this tracker. @pre tracker.is_set()
  [[nodiscard]] const disk_record* by_tracker(
      const unique_id& tracker) const noexcept;
  [[nodiscard]] const disk_record* by_path(std::string_view path) const;
  /// Ascending by base slot.
  [[nodiscard]] const std::vector<disk_record>& all() const { return disks_; }
  [[nodiscard]] std::uint64_t generation() const { return generation_; }
  /// The lowest base with room for `extents` after it.
  [[nodiscard]] std::optional<slot_number> room_for(
      std::uint64_t extents) const;

 private:
  std::vector<disk_record> disks_;
  std::uint64_t generation_ = 0;
};

/// What a scan wants changed. Built from pairs of old and new groups.
class changes {
 public:
  /// Group `number`, which belongs to `disk`, becomes `now` (nothing: goes).
  ///
  /// @param before  the value in the index, if it has an intact one
  void replace_group(const disk_record& disk,
                     std::uint32_t number,
                     const std::optional<byte_buffer>& before,
                     std::optional<byte_buffer> now);
  /// A pair, or the slot of a whole extent, comes or goes for itself.
  void change_pair(const pair_change& change) { pairs_.push_back(change); }
  void change_extent(byte_span sha, slot_number slot, bool add);
  /// Bytes of memory held, about.
  [[nodiscard]] std::size_t bytes() const noexcept;
  void clear();

 private:
  friend class store;
  struct extent_change {
    std::uint64_t sha_key = 0;  ///< first 8 bytes, big-endian
    slot_number slot = 0;
    bool add = false;
  };
  struct group_change {
    std::uint32_t number = 0;
    std::optional<byte_buffer> value;
  };
  struct view_pair {
    const group_view* old_one = nullptr;
    const group_view* new_one = nullptr;
  };
  void note_extent(const disk_record& disk,
                   slot_number slot,
                   const view_pair& views);

  std::vector<pair_change> pairs_;
  std::vector<extent_change> extents_;
  std::vector<group_change> groups_;
  std::size_t group_bytes_ = 0;
};

/// Held by whoever scans or removes a disk; goes with its owner.
using disk_lock = unique_fd;

/// Why a disk goes: when the database is lost in between, it comes again or
/// not.
enum class removal { for_good, to_be_added_again };

struct store_options {
  bool writable = false;
  lmdb_options map;  ///< its sizes; `writable` there is not looked at
};

struct store_counts {
  std::uint64_t disks = 0;
  std::uint64_t groups = 0;
  std::uint64_t buckets = 0;
  std::uint64_t pairs = 0;
  std::uint64_t tags = 0;  ///< different ones: blocks that stand once, about
  std::uint64_t extents = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t free_bytes = 0;  ///< of the file: written next
  std::uint64_t map_bytes = 0;
  std::uint64_t damaged_values = 0;
};

class store {
 public:
  /// Writable: creates folder and tables; a data file that is damaged or of
  /// another version is set aside and a new one begun, which is logged.
  ///
  /// @error errc::not_found (read-only, no index); errc::corrupt and
  ///        errc::unsupported (another version wrote it), read-only
  [[nodiscard]] static result<std::unique_ptr<store>> open(
      const std::string& folder, const store_options& options);

  [[nodiscard]] result<disk_table> disks();
  [[nodiscard]] result<disk_table> disks(const read_txn& txn) const;
  [[nodiscard]] result<std::uint64_t> generation(const read_txn& txn) const;
  /// Which database this is; unset while nothing was ever added.
  [[nodiscard]] result<unique_id> instance(const read_txn& txn) const;
  [[nodiscard]] result<unique_id> instance();

  /// Disks that were added once, but are not in the tables: the database was
  /// lost. A scan adds them again.
  [[nodiscard]] result<std::vector<std::string>> lost_paths();
  /// Gives the disk an id and slots; `record`'s own are not looked at.
  [[nodiscard]] result<disk_record> add_disk(disk_record record);
  /// Who added the disk stays as it is: a scan that takes hours must not undo
  /// what an administrator said meanwhile.
  ///
  /// @error errc::not_found when it was removed meanwhile
  [[nodiscard]] result<void> update_disk(const disk_record& record);
  /// An administrator has named a disk that had been added by itself.
  ///
  /// @error errc::not_found when it was removed meanwhile
  [[nodiscard]] result<disk_record> set_listed(std::uint32_t id);
  /// The same disk has another path now: all that is known of it stays. To be
  /// called with the disk locked, or a scan would write the old one again.
  ///
  /// @error errc::not_found when it was removed meanwhile; errc::busy when
  ///        another disk has that path
  [[nodiscard]] result<void> rename_disk(std::uint32_t id,
                                         const std::string& path);
  /// Takes the disk, its groups and its pairs out. The file keeps its size: the
  /// pages become free for what is added next.
  [[nodiscard]] result<void> remove_disk(std::uint32_t id,
                                         removal what = removal::for_good);
  /// A lost disk is not to be scanned again.
  result<void> forget_path(const std::string& path) {
    return paths_.remove(path);
  }
  /// Disks that are not to be read for now; may be changed by readers as well.
  [[nodiscard]] pause_list& pauses() noexcept { return pauses_; }
  /// @error errc::busy when another scans or removes the disk
  [[nodiscard]] result<disk_lock> lock_disk(std::uint32_t id) const;
  /// Blocks: until nobody scans or removes the disk.
  [[nodiscard]] result<void> wait_for_disk(std::uint32_t id) const;
  /// The same for all disks, those included that are not added yet.
  [[nodiscard]] result<disk_lock> lock_all_disks() const;

  /// The value of a group when there is an intact one.
  [[nodiscard]] result<std::optional<byte_buffer>> group(std::uint32_t number);
  /// Existing groups in [first, last).
  [[nodiscard]] result<std::vector<std::uint32_t>> groups_in(
      std::uint32_t first, std::uint32_t last);

  /// Of the disk's groups, for its record.
  [[nodiscard]] result<std::uint64_t> group_sum(const disk_record& disk);
  [[nodiscard]] result<std::uint64_t> group_sum(const read_txn& txn,
                                                const disk_record& disk) const;

  /// Writes everything and empties `batch`, whatever the outcome.
  [[nodiscard]] result<void> apply(changes& batch);
  /// Takes values out of `groups` or `buckets`.
  [[nodiscard]] result<void> erase(lmdb_table table,
                                   std::span<const byte_buffer> keys);
  [[nodiscard]] result<void> sync() { return env_->sync(); }

  [[nodiscard]] result<store_counts> count();

  // For look-ups, which read in place.
  [[nodiscard]] result<read_txn> begin_read() { return env_->begin_read(); }
  /// To be asked after a read of which "not there" means something: a page that
  /// could not be read looks like one without entries.
  ///
  /// @error errc::corrupt when a page was missed since the index was opened
  [[nodiscard]] result<void> check_whole() { return env_->check_whole(); }
  [[nodiscard]] lmdb_table groups() const noexcept { return groups_; }
  [[nodiscard]] lmdb_table buckets() const noexcept { return buckets_; }
  [[nodiscard]] lmdb_table extents() const noexcept { return extents_; }

 private:
  explicit store(const std::string& folder)
      : folder_(folder), paths_(folder), pauses_(folder) {}
  static result<std::unique_ptr<store>> open_once(const std::string& folder,
                                                  const store_options& options);
  result<void> list_paths();
  result<void> open_tables();
  result<void> check_version();
  [[nodiscard]] result<disk_table> read_disks(const lmdb_view& txn) const;
  /// A new one, with an instance of its own, where there is none yet.
  [[nodiscard]] result<state_record> stored_state(write_txn& txn) const;
  result<void> put_state(write_txn& txn, state_record state);
  result<void> grow_generation(write_txn& txn);
  result<disk_record> stored_disk(write_txn& txn, std::uint32_t id) const;
  result<void> put_disk(write_txn& txn, const disk_record& record);
  result<void> apply_pairs(changes& batch);
  result<void> apply_extents(changes& batch);
  result<void> apply_groups(changes& batch);
  result<void> drop_groups(const disk_record& gone);
  result<void> sweep_pairs();
  result<void> sweep_extents();

  std::string folder_;
  path_list paths_;
  pause_list pauses_;
  std::unique_ptr<lmdb_env> env_;
  lmdb_table state_;
  lmdb_table disks_;
  lmdb_table groups_;
  lmdb_table buckets_;
  lmdb_table extents_;
};

}  // namespace teleport::index

#endif  // INDEX_STORE_HPP
