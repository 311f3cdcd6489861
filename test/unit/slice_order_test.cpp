// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/slice_order_test.cpp: slices of a stream that came over several
// lanes are in order again, and what does not fit is refused.

#include "libteleport/wire/slice_order.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

using namespace teleport;

namespace {

byte_buffer slice(std::uint64_t number, std::size_t size = 1) {
  return encode_slice(number, byte_buffer(size, std::byte(number & 0xffU)));
}

}  // namespace

TEST_CASE("slices come out in the order of their numbers", "[wire][lanes]") {
  const std::uint32_t seed = std::random_device{}();
  CAPTURE(seed);
  std::minstd_rand random(seed);
  constexpr std::size_t lanes = 5;
  constexpr std::uint64_t count = 4000;
  // Each lane keeps its order; how they run against each other is chance.
  std::vector<std::vector<std::uint64_t>> on(lanes);
  on[0].push_back(0);
  for (std::uint64_t number = 1; number < count; ++number) {
    on[random() % lanes].push_back(number);
  }
  slice_order order;
  std::vector<std::size_t> done(lanes);
  std::uint64_t next = 0;
  while (next < count) {
    const std::size_t lane = random() % lanes;
    if (done[lane] == on[lane].size()) {
      continue;
    }
    REQUIRE(order.take(lane, slice(on[lane][done[lane]++])));
    while (const auto bytes = order.next()) {
      REQUIRE(*bytes == byte_buffer(1, std::byte(next & 0xffU)));
      ++next;
    }
  }
  CHECK_FALSE(order.next());
}

TEST_CASE("slices that cannot be are refused", "[wire][lanes]") {
  slice_order order;
  CHECK(order.take(0, slice(0)));
  SECTION("one that came already") {
    CHECK_FALSE(order.take(0, slice(0)));
  }
  SECTION("one that came already, by another lane") {
    REQUIRE(order.take(1, slice(5)));
    CHECK_FALSE(order.take(2, slice(5)));
  }
  SECTION("one that has been given out") {
    REQUIRE(order.next());
    CHECK_FALSE(order.take(1, slice(0)));
  }
  SECTION("a lane that goes back") {
    REQUIRE(order.take(1, slice(7)));
    CHECK_FALSE(order.take(1, slice(6)));
  }
  SECTION("an empty one, one without a number, one that is too long") {
    CHECK_FALSE(order.take(1, byte_buffer(8)));
    CHECK_FALSE(order.take(1, byte_buffer(7)));
    CHECK_FALSE(order.take(1, byte_buffer(8 + max_slice_bytes + 1)));
    byte_buffer longest = slice(1, max_slice_bytes);
    CHECK(order.take(1, longest));
  }
}

TEST_CASE("the first slice comes on the first lane", "[wire][lanes]") {
  slice_order order;
  CHECK_FALSE(order.take(1, slice(0)));
}

TEST_CASE("what waits is bounded, and never the lane that all wait for",
          "[wire][lanes]") {
  slice_order order;
  std::uint64_t number = 1;
  while (order.may_read(1)) {
    REQUIRE(order.take(1, slice(number++, max_slice_bytes)));
  }
  const std::size_t each = max_slice_bytes + slice_order::slice_cost;
  CHECK(number * each >= slice_order::enough_waiting);
  CHECK(number * each <= slice_order::enough_waiting + 2 * each);
  CHECK(order.may_read(0));
  CHECK(order.may_read(2));  // of it nothing waits: the next may be there
  REQUIRE(order.take(0, slice(0)));
  while (order.next()) {
  }
  CHECK(order.may_read(1));
}
