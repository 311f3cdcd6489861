// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <numeric>
#include <random>

#include "libteleport/stream/page_codec.hpp"
#include "libteleport/stream/stream_filter.hpp"
#include "test/support/catch.hpp"
#include "test/support/stream_maker.hpp"

namespace teleport {

namespace {

using namespace xen_stream;
using test::make_page_record;

byte_buffer encode(const byte_buffer& record) {
  const auto parts = read_page_record(record);
  REQUIRE(parts.has_value());
  page_counts counts;
  return page_encoder(3).encode(*parts, counts);
}

bool comes_back(const byte_buffer& record) {
  const auto again = page_decoder().decode(encode(record));
  return again.has_value() && *again == record;
}

// A coded body from its numbers.
byte_buffer body_of(std::initializer_list<unsigned> bytes) {
  byte_buffer body;
  for (const unsigned b : bytes) {
    body.push_back(static_cast<std::byte>(b));
  }
  return body;
}

bool is_refused(std::initializer_list<unsigned> bytes) {
  const auto record = page_decoder().decode(body_of(bytes));
  return !record && record.error().code == errc::protocol;
}

constexpr std::uint64_t typed(unsigned type, std::uint64_t pfn) {
  return std::uint64_t{type} << pfn_type_shift | pfn;
}

}  // namespace

TEST_CASE("pfns of every order and type come back", "[stream]") {
  const std::vector<std::vector<std::uint64_t>> lists = {
      {0},
      {pfn_mask},
      {pfn_mask, 0, pfn_mask - 1, pfn_mask},
      {5, 4, 3, 2, 1, 0},
      {7, 7, 7},
      {1, 2, 3, 9, 10, 11, 4},
      {typed(0xd, 1), typed(0xe, 2), typed(0xf, 3)},
      {typed(1, 1), typed(1, 2), typed(9, 3), 4, typed(0xf, 5), 6},
  };
  for (const auto& list : lists) {
    std::size_t pages = 0;
    for (const std::uint64_t e : list) {
      pages += has_data(static_cast<unsigned>(e >> pfn_type_shift)) ? 1U : 0U;
    }
    CHECK(comes_back(make_page_record(
        static_cast<std::uint32_t>(list.size()), list, pages * page_bytes)));
  }
}

TEST_CASE("the worst record stays within the piece's limit", "[stream]") {
  std::mt19937_64 random(7);
  std::vector<std::uint64_t> entries(max_batch_pages);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i] = random() & pfn_mask & ~std::uint64_t{1};
  }
  byte_buffer record =
      make_page_record(static_cast<std::uint32_t>(max_batch_pages),
                       entries,
                       max_batch_pages * page_bytes);
  REQUIRE(record.size() == max_page_record_bytes);
  for (std::size_t i = record.size() - max_batch_pages * page_bytes;
       i < record.size();
       ++i) {
    record[i] = static_cast<std::byte>(random() & 0xffU);
  }
  CHECK(encode(record).size() <= max_piece_bytes);
  CHECK(comes_back(record));
}

TEST_CASE("a record of a run of pfns costs few bytes", "[stream]") {
  std::vector<std::uint64_t> entries(max_batch_pages);
  std::iota(entries.begin(), entries.end(), 0x4000);
  byte_buffer record =
      make_page_record(static_cast<std::uint32_t>(max_batch_pages),
                       entries,
                       max_batch_pages * page_bytes);
  std::fill(
      record.end() - max_batch_pages * page_bytes, record.end(), std::byte{0});
  CHECK(encode(record).size() < 16);
  CHECK(comes_back(record));
}

TEST_CASE("PAGE_DATA whose numbers do not fit is refused", "[stream]") {
  const std::vector<std::uint64_t> two = {1, 2};
  const auto refused = [](const byte_buffer& record) {
    return !read_page_record(record).has_value();
  };
  CHECK_FALSE(refused(make_page_record(2, two, 2 * page_bytes)));
  CHECK(refused(make_page_record(0, two, 2 * page_bytes)));
  CHECK(refused(make_page_record(0, {}, 0)));
  CHECK(refused(make_page_record(1, two, 2 * page_bytes)));
  CHECK(refused(make_page_record(3, two, 2 * page_bytes)));
  CHECK(refused(make_page_record(~0U, two, 2 * page_bytes)));
  CHECK(refused(make_page_record(0x20000001, two, 2 * page_bytes)));
  CHECK(refused(make_page_record(2, two, page_bytes)));
  CHECK(refused(make_page_record(2, two, 2 * page_bytes - 1)));
  CHECK(refused(make_page_record(2, two, 2 * page_bytes + 8)));
  CHECK(refused(make_page_record(2, two, 0)));
  for (unsigned type = 5; type <= 8; ++type) {
    CHECK(refused(make_page_record(
        1, std::vector<std::uint64_t>{typed(type, 1)}, page_bytes)));
  }
  byte_buffer record = make_page_record(2, two, 2 * page_bytes);
  while (!record.empty()) {
    record.pop_back();
    REQUIRE(refused(record));
  }
}

TEST_CASE("records that the codec has no words for are not codable",
          "[stream]") {
  std::vector<std::uint64_t> many(max_batch_pages + 1, typed(0xf, 1));
  const byte_buffer long_record =
      make_page_record(static_cast<std::uint32_t>(many.size()), many, 0);
  const auto too_many = read_page_record(long_record);
  REQUIRE(too_many.has_value());
  CHECK_FALSE(too_many->is_codable());
  byte_buffer odd =
      make_page_record(1, std::vector<std::uint64_t>{typed(0xf, 1)}, 0);
  odd[12] = std::byte{1};
  const auto reserved = read_page_record(odd);
  REQUIRE(reserved.has_value());
  CHECK_FALSE(reserved->is_codable());
}

TEST_CASE("the decoder refuses what the coding does not allow", "[stream]") {
  // Version, packing, count (2), pfn runs, page runs, pages.
  CHECK(page_decoder().decode(body_of({1, 0, 1, 0, 0, 0x0f})).has_value());
  CHECK(page_decoder().decode(body_of({1, 0, 2, 0, 0, 0x10, 8})).has_value());
  CHECK(is_refused({}));
  CHECK(is_refused({1, 0, 1}));
  CHECK(is_refused({0, 0, 1, 0, 0, 0x0f}));     // version
  CHECK(is_refused({2, 0, 1, 0, 0, 0x0f}));     // version
  CHECK(is_refused({1, 2, 1, 0, 0, 0x0f}));     // packing
  CHECK(is_refused({1, 1, 1, 0, 0, 0x0f}));     // zstd without pages
  CHECK(is_refused({1, 0, 0, 0, 0, 0x0f}));     // no pfns
  CHECK(is_refused({1, 0, 1, 4, 0, 0x0f}));     // 1025 pfns
  CHECK(is_refused({1, 0, 1, 0, 0, 0x1f}));     // run of 2 in 1
  CHECK(is_refused({1, 0, 2, 0, 0, 0x0f}));     // run of 1 in 2
  CHECK(is_refused({1, 0, 1, 0, 1, 0x0f}));     // pfn -1
  CHECK(is_refused({1, 0, 1, 0, 0, 0x0f, 0}));  // a byte too many
  CHECK(is_refused({1, 0, 1, 0, 0, 0x05, 0}));  // type 5
  CHECK(is_refused({1, 0, 1, 0, 0, 0x00}));     // no page code
  CHECK(is_refused({1, 0, 1, 0, 0, 0x00, 8}));  // two pages of one
  CHECK(is_refused({1, 0, 1, 0, 0, 0x00, 2}));  // code of a later version
  CHECK(is_refused({1, 0, 1, 0, 0, 0x00, 1}));  // a whole page, absent
  CHECK(is_refused({1, 1, 1, 0, 0, 0x00, 1, 0x28, 0xb5, 0x2f, 0xfd}));
  // Varints without an end, and pfns beyond 60 bits.
  CHECK(is_refused({1, 0, 1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255}));
  CHECK(is_refused(
      {1, 0, 1, 0, 255, 255, 255, 255, 255, 255, 255, 255, 127, 0x0f}));
  CHECK(is_refused(
      {1, 0, 1, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 127, 0x0f}));
}

}  // namespace teleport
