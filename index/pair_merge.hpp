// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/pair_merge.hpp: sorted changes of (tag, place) pairs into the table
// `buckets`, one transaction's worth at a time.
//
// A bucket that is rewritten anyway also loses pairs of removed disks, keeps at
// most max_places for a tag, and is cut or joined with its neighbour when it
// has become too large or too small (index/FORMAT.md, 3.4).
//
// Threads: one owner. Blocks: on the disk.
// Trust: a bucket that fails its checksum counts as empty.

#ifndef INDEX_PAIR_MERGE_HPP
#define INDEX_PAIR_MERGE_HPP

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "index/bucket_view.hpp"
#include "index/lmdb.hpp"
#include "libteleport/base/error.hpp"

namespace teleport::index {

class disk_table;

/// Changed bytes after which a transaction is cut: memory and free pages stay
/// bounded, and an fdatasync for each costs nothing beside the scan's reading.
inline constexpr std::size_t bytes_per_commit = std::size_t{8} << 20U;

struct pair_change {
  tag key = 0;
  slot_number slot = 0;
  std::uint8_t block = 0;
  bool add = false;  ///< sorts after the removal of the same pair

  // NOLINTNEXTLINE(modernize-use-nullptr): false alarm of clang-tidy 14
  friend auto operator<=>(const pair_change&, const pair_change&) = default;
  [[nodiscard]] place at() const noexcept { return make_place(slot, block); }
};

/// Thins the pairs of one tag, ascending, to max_places, spread over disks;
/// drops those that no disk owns.
void thin_places(std::vector<tag_place>& pairs,
                 std::size_t first,
                 const disk_table& disks);

class pair_merge {
 public:
  /// @param changes  ascending; must outlive this
  /// @param sweep    visit every bucket, changed or not
  pair_merge(lmdb_table buckets,
             const disk_table& disks,
             std::span<const pair_change> changes,
             bool sweep)
      : buckets_(buckets), disks_(disks), changes_(changes), sweep_(sweep) {}

  /// Runs all of it in as many transactions as it takes.
  [[nodiscard]] result<void> run(lmdb_env& env);

 private:
  /// Where the work stands; kept apart so that a transaction can be run again.
  struct state {
    tag from = 0;            ///< the lowest tag not yet seen to
    std::size_t change = 0;  ///< the first change not yet made
    std::size_t written = 0;
  };
  [[nodiscard]] bool done(const state& now) const;
  result<void> next_bucket(write_txn& txn, state& now);
  result<void> merge_range(tag high, byte_span old, state& now);
  result<void> put(write_txn& txn, tag high, state& now);

  lmdb_table buckets_;
  const disk_table& disks_;
  std::span<const pair_change> changes_;
  bool sweep_;
  std::vector<tag_place> merged_;
  bool differs_ = false;
};

}  // namespace teleport::index

#endif  // INDEX_PAIR_MERGE_HPP
