// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/bench/synthetic.hpp: an index over disks that do not exist, whose
// digests follow from their numbers: any size, without reading anything.
//
// Threads: one owner. Blocks: while it writes.

#ifndef TEST_BENCH_SYNTHETIC_HPP
#define TEST_BENCH_SYNTHETIC_HPP

#include <cstdint>
#include <string>

#include "index/store.hpp"

namespace teleport::bench {

/// Blocks of one synthetic disk: 100 GiB.
inline constexpr std::uint64_t disk_blocks = 25'600'000;

/// The digest of block `number`, counted over all disks. Numbers from
/// `absent` on are in no index.
[[nodiscard]] constexpr block_digest digest_of_block(std::uint64_t number) {
  // splitmix64: every number has a digest of its own, evenly spread.
  std::uint64_t z = (number + 1) * 0x9E3779B97F4A7C15U;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}
inline constexpr std::uint64_t absent = std::uint64_t{1} << 40U;

/// Adds blocks [`from`, `to`), whole extents, through the scanner's own way of
/// writing.
///
/// @param batch_bytes  as index::scan_options::batch_bytes
[[nodiscard]] result<void> fill(index::store& tables,
                                std::uint64_t from,
                                std::uint64_t to,
                                std::size_t batch_bytes);

}  // namespace teleport::bench

#endif  // TEST_BENCH_SYNTHETIC_HPP
