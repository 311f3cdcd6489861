// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/index_format_test.cpp: the index's records as bytes, and what
// happens when the bytes lie.

#include <random>

#include "index/bucket_view.hpp"
#include "index/pair_merge.hpp"
#include "test/unit/index_fixture.hpp"

namespace teleport::index {

namespace {

constexpr std::uint32_t sample_number = 7;

byte_buffer sample_group() {
  group_builder builder;
  extent_content content;
  for (unsigned e = 0; e < 3; ++e) {
    content = {};
    for (unsigned b = e; b < extent_blocks; b += 50) {
      content.blocks.set(b);
      content.digests[content.count++] = e * 1000 + b;
    }
    content.sha[0] = static_cast<std::byte>(e + 1);
    builder.add(2 * e, content);
  }
  builder.add_zero(7);
  return builder.encode(sample_number);
}

std::vector<tag_place> even_pairs(std::size_t count, tag step) {
  std::vector<tag_place> pairs;
  for (std::size_t i = 0; i < count; ++i) {
    pairs.push_back({1000 + i * step, i * 3});
  }
  return pairs;
}

}  // namespace

TEST_CASE("a disk record comes back, and out of range it does not", "[index]") {
  disk_record disk;
  disk.id = 7;
  disk.base = 64;
  disk.complete = true;
  disk.size = 5 * extent_bytes + 512;
  disk.scanned_at = 11;
  disk.changed_at = 12;
  disk.data_blocks = 13;
  disk.zero_blocks = 14;
  disk.path = "/dev/a";
  disk.identity = "dm x";
  const byte_buffer value = encode(disk);
  const auto again = decode_disk(7, value);
  REQUIRE(again);
  CHECK(encode(*again) == value);
  CHECK(again->owns(64));
  CHECK(again->owns(69));
  CHECK_FALSE(again->owns(70));
  CHECK_FALSE(again->owns(63));
  CHECK(again->end_slot() == 96);
  for (std::size_t n = 0; n < value.size(); ++n) {
    CHECK_FALSE(decode_disk(7, byte_span(value).first(n)));
  }
  disk.size = max_disk_bytes + 512;
  CHECK_FALSE(decode_disk(7, encode(disk)));
  disk.size = 513;
  CHECK_FALSE(decode_disk(7, encode(disk)));
  disk.size = extent_bytes * 64;
  disk.base = 0xffffffe0U;
  CHECK_FALSE(decode_disk(7, encode(disk)));
  disk.base = 1;
  CHECK_FALSE(decode_disk(7, encode(disk)));
}

TEST_CASE("a disk record tells who added the disk", "[index]") {
  disk_record disk;
  disk.size = extent_bytes;
  disk.path = "/dev/a";
  constexpr std::size_t flags_at = 4;
  for (const bool complete : {false, true}) {
    disk.complete = complete;
    disk.by_itself = false;
    byte_buffer value = encode(disk);
    // As it was written before there was the second flag.
    CHECK(value[flags_at] == (complete ? std::byte{1} : std::byte{0}));
    CHECK_FALSE(decode_disk(1, value)->by_itself);
    disk.by_itself = true;
    value = encode(disk);
    CHECK(value[flags_at] == (complete ? std::byte{3} : std::byte{2}));
    CHECK(decode_disk(1, value)->by_itself);
    CHECK(decode_disk(1, value)->complete == complete);
    // What later programs may write there is passed over.
    value[flags_at] |= std::byte{0xfc};
    REQUIRE(decode_disk(1, value));
    CHECK(decode_disk(1, value)->by_itself);
  }
}

TEST_CASE("a group tells its extents' digests by block", "[index]") {
  const byte_buffer value = sample_group();
  const auto view = group_view::parse(value);
  REQUIRE(view);
  CHECK(view->intact(sample_number));
  CHECK(view->known(7));
  CHECK_FALSE(view->known(1));
  CHECK_FALSE(view->extent(7));
  CHECK(view->next_data(1) == 2);
  CHECK(view->next_data(5) == group_extents);
  const auto extent = view->extent(4);
  REQUIRE(extent);
  CHECK(extent->sha[0] == std::byte{3});
  CHECK(extent->has(52));
  CHECK_FALSE(extent->has(53));
  CHECK(extent->next(53) == 102);
  CHECK(extent->next(253) == extent_blocks);
  CHECK(view->digest(extent->first + extent->rank(102)) == 2102);
}

TEST_CASE("no bit of a group can lead a reader out of it", "[index]") {
  const byte_buffer good = sample_group();
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    byte_buffer value = good;
    value[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto view = group_view::parse(value);
    if (!view) {
      continue;
    }
    REQUIRE_FALSE(view->intact(sample_number));
    for (unsigned e = 0; e < group_extents; ++e) {
      const auto extent = view->extent(e);
      for (unsigned b = extent ? extent->next(0) : extent_blocks;
           b < extent_blocks;
           b = extent->next(b + 1)) {
        REQUIRE(extent->first + extent->rank(b) < view->digests());
      }
    }
  }
  for (std::size_t n = 0; n < good.size(); ++n) {
    CHECK_FALSE(group_view::parse(byte_span(good).first(n)));
  }
}

TEST_CASE("a bucket finds what it holds, at every width", "[index]") {
  for (const tag step : {1U, 300U, 70'000U, 13'000'000U}) {
    const auto pairs = even_pairs(5000, step);
    const byte_buffer value = encode_bucket(max_tag, pairs);
    CHECK(value.size() == bucket_bytes(pairs));
    const auto view = bucket_view::parse(value);
    REQUIRE(view);
    REQUIRE(view->intact_pairs(max_tag) == pairs);
    std::array<place, max_places> places{};
    for (const tag_place& pair : pairs) {
      REQUIRE(view->find(pair.key, places) == 1);
      REQUIRE(places[0] == pair.at);
    }
    CHECK(view->find(999, places) == 0);
    CHECK(view->find(pairs.back().key + 1, places) == 0);
    CHECK(view->find(max_tag, places) == 0);
    CHECK((step == 1 || view->find(1001, places) == 0));
  }
  const byte_buffer none = encode_bucket(max_tag, {});
  std::array<place, max_places> places{};
  CHECK(bucket_view::parse(none)->find(5, places) == 0);
}

TEST_CASE("a bucket of few pairs finds them", "[index]") {
  for (std::size_t count = 1; count < 40; ++count) {
    const auto pairs = even_pairs(count, (max_tag - 1000) / count);
    const byte_buffer value = encode_bucket(max_tag, pairs);
    const auto view = bucket_view::parse(value);
    REQUIRE(view);
    REQUIRE(view->intact_pairs(max_tag) == pairs);
    std::array<place, max_places> places{};
    for (const tag_place& pair : pairs) {
      REQUIRE(view->find(pair.key, places) == 1);
    }
  }
}

TEST_CASE("a bucket with crowded tags is searched all the same", "[index]") {
  std::vector<tag_place> pairs;
  for (std::uint32_t i = 0; i < 4000; ++i) {
    pairs.push_back({i, i});
  }
  pairs.push_back({max_tag, 1});
  pairs.push_back({max_tag, max_place});
  const byte_buffer value = encode_bucket(max_tag, pairs);
  const auto view = bucket_view::parse(value);
  REQUIRE(view);
  CHECK(view->intact_pairs(max_tag) == pairs);
  std::array<place, max_places> places{};
  for (std::uint32_t i = 0; i < 4000; ++i) {
    REQUIRE(view->find(i, places) == 1);
    REQUIRE(places[0] == i);
  }
  REQUIRE(view->find(max_tag, places) == 2);
  CHECK(places[1] == max_place);
}

TEST_CASE("no bit of a bucket can lead a reader out of it", "[index]") {
  // 400 pairs: in several cells.
  const byte_buffer good = encode_bucket(max_tag, even_pairs(400, 1234));
  std::array<place, max_places> places{};
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    byte_buffer value = good;
    value[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto view = bucket_view::parse(value);
    if (!view) {
      continue;
    }
    REQUIRE_FALSE(view->intact_pairs(max_tag));
    for (tag key = 1000; key < 600'000; key += 5 * 1234) {
      REQUIRE(view->find(key, places) <= places.size());
    }
  }
  for (std::size_t n = 0; n < good.size(); ++n) {
    CHECK_FALSE(bucket_view::parse(byte_span(good).first(n)));
  }
}

TEST_CASE("places of one tag are spread over disks; the dead go", "[index]") {
  std::vector<disk_record> disks(3);
  for (unsigned i = 0; i < 3; ++i) {
    disks[i].id = i + 1;
    disks[i].base = i * 64;
    disks[i].size = 32 * extent_bytes;
  }
  const disk_table table(disks, 1);
  std::vector<tag_place> pairs{{1, 9}};
  for (unsigned block = 0; block < 6; ++block) {
    pairs.push_back({5, make_place(3, block)});
  }
  pairs.push_back({5, make_place(40, 0)});  // between two disks: nobody's
  pairs.push_back({5, make_place(64, 1)});
  pairs.push_back({5, make_place(128, 2)});
  thin_places(pairs, 1, table);
  const std::vector<tag_place> expected{{1, 9},
                                        {5, make_place(3, 0)},
                                        {5, make_place(3, 1)},
                                        {5, make_place(64, 1)},
                                        {5, make_place(128, 2)}};
  CHECK(pairs == expected);
}

}  // namespace teleport::index
