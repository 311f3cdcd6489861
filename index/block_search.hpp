// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/block_search.hpp: wanted digests to runs of donor blocks, inside one
// snapshot of the index.
//
// One descent into `buckets` finds where a run may begin; from there the
// donor's own array of digests is followed for as long as it agrees, over
// zeros, extents and groups. After a block that is nowhere, the place where
// the run would go on is tried before the next descent.
//
// Threads: one owner, the one of the transaction.
// Blocks: on pages of the map that are not in memory.
// Trust: nothing in the index is believed before a group's array holds the
//        whole digest; lengths and places are checked against the disk's.

#ifndef INDEX_BLOCK_SEARCH_HPP
#define INDEX_BLOCK_SEARCH_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "index/store.hpp"
#include "libteleport/migrate/content_lookup.hpp"

namespace teleport::index {

class block_search {
 public:
  /// All three must outlive this.
  block_search(const store& tables,
               const read_txn& txn,
               const disk_table& disks)
      : tables_(tables), txn_(txn), disks_(disks) {}

  /// As content_lookup::find_blocks.
  [[nodiscard]] result<std::vector<donor_run>> find_blocks(
      std::span<const block_digest> wanted);

  /// As content_lookup::find_extent.
  [[nodiscard]] result<std::optional<donor_extent>> find_extent(
      const extent_digest& wanted);

 private:
  /// A block that is not zero, in a group's array.
  struct position {
    const disk_record* disk = nullptr;
    group_view group;
    extent_view extent;
    slot_number slot = 0;
    unsigned block = 0;
    std::uint32_t number = 0;  ///< of its digest in the group

    [[nodiscard]] std::uint64_t offset() const noexcept;
    /// Does a whole block of the disk lie there?
    [[nodiscard]] bool whole() const noexcept;
    [[nodiscard]] block_digest digest() const noexcept {
      return group.digest(number);
    }
  };
  struct cached_group {
    std::uint32_t number = 0;
    bool filled = false;
    std::optional<group_view> view;
  };

  result<const group_view*> group(std::uint32_t number);
  /// @return nullopt when no disk has a block that is not zero there
  result<std::optional<position>> go_to(place at);
  /// The next block that is not zero. @return false at the end of the trail
  result<bool> advance(position& at);
  result<std::optional<position>> longest(lmdb_cursor& buckets,
                                          std::span<const block_digest> wanted);
  /// How many of `wanted` follow from `at` on; moves `at` behind the last.
  /// Adds their runs when `runs` is given.
  result<std::size_t> follow(std::optional<position>& at,
                             std::span<const block_digest> wanted,
                             std::vector<donor_run>* runs,
                             std::size_t first);

  const store& tables_;
  const read_txn& txn_;
  const disk_table& disks_;
  std::array<cached_group, 16> cache_;
};

}  // namespace teleport::index

#endif  // INDEX_BLOCK_SEARCH_HPP
