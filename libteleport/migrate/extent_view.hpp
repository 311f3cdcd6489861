// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/extent_view.hpp: the blocks of an extent in memory.

#ifndef LIBTELEPORT_MIGRATE_EXTENT_VIEW_HPP
#define LIBTELEPORT_MIGRATE_EXTENT_VIEW_HPP

#include <algorithm>
#include <cstddef>
#include <span>

#include "libteleport/base/block_mask.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

/// Blocks of an extent of `length` bytes, the last one perhaps short.
[[nodiscard]] inline std::size_t blocks_in(std::size_t length) {
  return static_cast<std::size_t>(count_of(length, block_bytes));
}

/// Block `index` of an extent's bytes.
/// @pre index < blocks_in(bytes.size())
template <class Byte>
[[nodiscard]] std::span<Byte> block_of(std::span<Byte> bytes,
                                       std::size_t index) {
  const std::size_t at = index * block_bytes;
  return bytes.subspan(at, std::min(block_bytes, bytes.size() - at));
}

/// Bytes of the chosen blocks of an extent of `length` bytes.
[[nodiscard]] inline std::size_t bytes_of(const block_mask& chosen,
                                          std::size_t length) {
  const std::size_t blocks = blocks_in(length);
  std::size_t sum = (chosen & block_mask::first(blocks)).count() * block_bytes;
  const std::size_t tail = length % block_bytes;
  if (tail != 0 && chosen.test(blocks - 1)) {
    sum -= block_bytes - tail;
  }
  return sum;
}

/// Calls visit(first, count) for each run of blocks in the mask.
template <class Visit>
void for_each_run(const block_mask& mask, Visit visit) {
  for (std::size_t i = 0; i < extent_blocks;) {
    if (!mask.test(i)) {
      ++i;
      continue;
    }
    const std::size_t first = i;
    while (i < extent_blocks && mask.test(i)) {
      ++i;
    }
    visit(first, i - first);
  }
}

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_EXTENT_VIEW_HPP
