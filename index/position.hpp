// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/position.hpp: a block in a donor's own array of digests, and the way
// from there to the next.
//
// Threads: one owner, the one of the transaction.
// Blocks: on pages of the map that are not in memory.
// Trust: places come from a damaged or hostile index: each is checked against
//        its disk's length and its group's bounds.

#ifndef INDEX_POSITION_HPP
#define INDEX_POSITION_HPP

#include <array>
#include <cstdint>
#include <optional>

#include "index/store.hpp"

namespace teleport::index {

/// A block that is not zero, in a group's array.
struct position {
  const disk_record* disk = nullptr;
  group_view group;
  extent_view extent;
  slot_number slot = 0;
  unsigned block = 0;
  std::uint32_t number = 0;  ///< of its digest in the group

  /// Bytes from the disk's start.
  [[nodiscard]] std::uint64_t offset() const noexcept;
  /// Does a whole block of the disk lie there?
  [[nodiscard]] bool whole() const noexcept;
  [[nodiscard]] block_digest digest() const noexcept {
    return group.digest(number);
  }
};

class position_reader {
 public:
  /// All three must outlive this.
  position_reader(const store& tables,
                  const read_txn& txn,
                  const disk_table& disks)
      : tables_(tables), txn_(txn), disks_(disks) {}

  // A place to its position, in two steps for the sake of many at once: each
  // asks for the memory that the next look will read.

  /// The value of the group that `at` lies in; nullopt when it is no place of
  /// an indexed disk.
  [[nodiscard]] result<std::optional<byte_span>> group_value(place at);
  /// @param value  what group_value() found for the same place
  /// @return nullopt when the disk has no block there that is not zero
  [[nodiscard]] std::optional<position> at(place where, byte_span value) const;

  /// The next block that is not zero. @return false at the end of the trail
  [[nodiscard]] result<bool> advance(position& at);

  /// @return nullptr when there is none; valid until the next call
  [[nodiscard]] result<const group_view*> group(std::uint32_t number);
  [[nodiscard]] const disk_table& disks() const noexcept { return disks_; }

 private:
  struct cached_group {
    std::uint32_t number = 0;
    bool filled = false;
    std::optional<group_view> view;
  };

  const store& tables_;
  const read_txn& txn_;
  const disk_table& disks_;
  std::array<cached_group, 8> cache_;
};

}  // namespace teleport::index

#endif  // INDEX_POSITION_HPP
