// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/block_search.hpp: wanted digests to runs of donor blocks, inside one
// snapshot of the index.
//
// Look-ups in `buckets` (lead_window.hpp) find where a run may begin; from
// there the donor's own array of digests is followed for as long as it agrees,
// over zeros, extents and groups. After a block that is nowhere, the place
// where the run would go on is tried before the next look-up.
//
// Threads: one owner, the one of the transaction.
// Blocks: on pages of the map that are not in memory.
// Trust: nothing in the index is believed before a group's array holds the
//        whole digest; lengths and places are checked against the disk's.

#ifndef INDEX_BLOCK_SEARCH_HPP
#define INDEX_BLOCK_SEARCH_HPP

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "index/position.hpp"
#include "index/store.hpp"
#include "libteleport/migrate/content_lookup.hpp"

namespace teleport::index {

class block_search {
 public:
  /// All three must outlive this.
  block_search(const store& tables,
               const read_txn& txn,
               const disk_table& disks)
      : tables_(tables), txn_(txn), reader_(tables, txn, disks) {}

  /// As content_lookup::find_blocks.
  [[nodiscard]] result<std::vector<donor_run>> find_blocks(
      std::span<const block_digest> wanted);

  /// As content_lookup::find_extent.
  [[nodiscard]] result<std::optional<donor_extent>> find_extent(
      const extent_digest& wanted);

 private:
  /// Of `leads`, the one from which most of `wanted` follow.
  result<std::optional<position>> longest(std::span<const position> leads,
                                          std::span<const block_digest> wanted);
  /// How many of `wanted` follow from `at` on; moves `at` behind the last.
  /// Adds their runs when `runs` is given.
  result<std::size_t> follow(std::optional<position>& at,
                             std::span<const block_digest> wanted,
                             std::vector<donor_run>* runs,
                             std::size_t first);

  const store& tables_;
  const read_txn& txn_;
  position_reader reader_;
};

}  // namespace teleport::index

#endif  // INDEX_BLOCK_SEARCH_HPP
