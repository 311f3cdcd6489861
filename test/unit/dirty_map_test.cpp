// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/dirty_map.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "test/support/catch.hpp"

namespace teleport {

namespace {

/// The blocks of a mask, as numbers.
std::set<std::uint64_t> blocks_of(const block_mask& mask) {
  std::set<std::uint64_t> blocks;
  for (std::uint64_t i = 0; i < extent_blocks; ++i) {
    if (mask.test(i)) {
      blocks.insert(i);
    }
  }
  return blocks;
}

}  // namespace

TEST_CASE("a map of nothing is empty", "[disk]") {
  dirty_map none;
  CHECK(none.empty());
  CHECK(none.bytes() == 0);
  CHECK_FALSE(none.next_extent(0));
  none.mark(0, 4096);
  none.mark(0, none.disk_bytes());
  CHECK(none.empty());
  CHECK(blocks_of(none.take_extent(0)).empty());
}

TEST_CASE("a mark covers every grain it touches and no more", "[disk]") {
  dirty_map map(8_MiB, 4_KiB);
  map.mark(4095, 2);
  CHECK(map.bytes() == 8192);
  CHECK(blocks_of(map.take_extent(0)) == std::set<std::uint64_t>{0, 1});
  CHECK(map.empty());
  map.mark(1_MiB - 1, 1);
  map.mark(3_MiB, 0);
  CHECK(map.extents() == 1);
  CHECK(blocks_of(map.take_extent(0)) == std::set<std::uint64_t>{255});
}

TEST_CASE("marks are clipped to the disk, whatever they claim", "[disk]") {
  const std::uint64_t size = 1_MiB + 5 * 512;
  for (const std::size_t grain : {4_KiB, 64_KiB, 1_MiB}) {
    dirty_map map(size, grain);
    map.mark(~std::uint64_t{0}, ~std::uint64_t{0});
    map.mark(size, 1);
    CHECK(map.empty());
    map.mark(1_MiB, ~std::uint64_t{0});
    CHECK(map.bytes() == 5 * 512);
    CHECK(map.next_extent(0) == 1U);
    CHECK(blocks_of(map.take_extent(1)) == std::set<std::uint64_t>{0});
    map.mark(0, map.disk_bytes());
    CHECK(map.bytes() == size);
    CHECK(map.extents() == 2);
    CHECK(blocks_of(map.take_extent(0)).size() == extent_blocks);
    CHECK(map.bytes() == 5 * 512);
    CHECK_FALSE(map.next_extent(2));
    CHECK_FALSE(map.next_extent(~std::uint64_t{0}));
    CHECK(blocks_of(map.take_extent(2)).empty());
  }
}

TEST_CASE("a coarse grain gives whole runs of blocks", "[disk]") {
  dirty_map map(4_MiB, 64_KiB);
  map.mark(1_MiB + 64_KiB, 1);
  CHECK(map.bytes() == 64_KiB);
  const auto blocks = blocks_of(map.take_extent(1));
  CHECK(blocks.size() == 16);
  CHECK(*blocks.begin() == 16);
  CHECK(*blocks.rbegin() == 31);
}

TEST_CASE("merge adds marks and the words are the marks", "[disk]") {
  dirty_map one(4_MiB, 4_KiB);
  dirty_map two(4_MiB, 4_KiB);
  one.mark(0, 1);
  two.mark(64 * 4_KiB, 1);
  one.merge(two);
  CHECK(one.words().size() == 16);
  CHECK(one.words()[0] == 1);
  CHECK(one.words()[1] == 1);
  CHECK(one.bytes() == 8_KiB);
}

TEST_CASE("a map agrees with a plain set of blocks", "[disk]") {
  std::mt19937_64 random(7);
  for (const std::size_t grain : {4_KiB, 8_KiB, 64_KiB, 512_KiB, 1_MiB}) {
    const std::uint64_t size = 5_MiB + 512 * (1 + random() % 2047);
    dirty_map map(size, grain);
    std::set<std::uint64_t> expected;
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t offset = random() % size;
      const std::uint64_t length = 1 + random() % 100'000;
      map.mark(offset, length);
      const std::uint64_t end = std::min(offset + length, size);
      const std::uint64_t grain_end = std::min(
          (end + grain - 1) / grain * grain, count_of(size, 4096) * 4096);
      for (auto at = offset / grain * grain; at < grain_end; at += 4096) {
        expected.insert(at / 4096);
      }
    }
    std::set<std::uint64_t> got;
    for (auto at = map.next_extent(0); at; at = map.next_extent(*at)) {
      for (const std::uint64_t block : blocks_of(map.take_extent(*at))) {
        got.insert(*at * extent_blocks + block);
      }
    }
    CHECK(got == expected);
    CHECK(map.empty());
  }
}

}  // namespace teleport
