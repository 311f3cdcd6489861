// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/pacer_test.cpp: rates, plans by the hour, and turns on the link.

#include "libteleport/net/pacer.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/link_plan.hpp"
#include "xl-teleport/setup/rate.hpp"

namespace teleport {

namespace {

using std::chrono::milliseconds;

constexpr pacer::clock::time_point now(std::chrono::hours(1));

/// When the last of many pieces may go, all of which are ready now.
milliseconds last_of(pacer& one, std::size_t count, std::size_t bytes) {
  auto at = now;
  for (std::size_t i = 0; i < count; ++i) {
    at = one.reserve(bytes, now);
  }
  return std::chrono::duration_cast<milliseconds>(at - now);
}

/// A host's budget as each process opens it.
std::unique_ptr<host_budget> open_budget(const temp_folder& folder) {
  auto made = host_budget::open(folder / "budget");
  REQUIRE(made);
  return std::move(*made);
}

}  // namespace

TEST_CASE("rates are read with their unit, and nothing else is", "[net]") {
  CHECK(read_rate("100Mbit") == 12'500'000U);
  CHECK(read_rate("12MB") == 12'000'000U);
  CHECK(read_rate("1.5Gbit") == 187'500'000U);
  CHECK(read_rate("800kB") == 800'000U);
  CHECK(read_rate("off") == 0U);
  CHECK(read_rate("100mbit") == 12'500'000U);
  CHECK(read_rate("100MBIT") == 12'500'000U);
  CHECK(read_rate("10MiB") == 10U << 20U);
  CHECK(rate_fault("100M") == "'100M' is not " + std::string(rate_examples));
  CHECK(rate_fault("1kbit") == "'1kbit' is below the least, 8.2kbit");
  for (const char* wrong : {"",
                            "100",
                            "Mbit",
                            "-1Mbit",
                            "1,5Mbit",
                            "1.2.3MB",
                            "1e9MB",
                            "1kbit",
                            "99999999GB",
                            "100 Mbit",
                            "100M",
                            "100mb",
                            "."}) {
    CAPTURE(wrong);
    CHECK_FALSE(read_rate(wrong));
  }
}

TEST_CASE("a plan holds by the hour, past midnight too", "[net]") {
  link_plan plan;
  REQUIRE(plan.add("08:00-18:00 20Mbit"));
  REQUIRE(plan.add("22:30-06:00 off"));
  REQUIRE(plan.add("100Mbit"));
  CHECK(plan.at(8 * 60) == 2'500'000);
  CHECK(plan.at(18 * 60 - 1) == 2'500'000);
  CHECK(plan.at(18 * 60) == 12'500'000);
  CHECK(plan.at(23 * 60) == 0);
  CHECK(plan.at(0) == 0);
  CHECK(plan.at(6 * 60) == 12'500'000);
  for (const char* wrong : {"08:00 20Mbit",
                            "8:00-18:00 20Mbit",
                            "08:00-24:00 20Mbit",
                            "08:00-08:00 20Mbit",
                            "08:60-09:00 20Mbit",
                            "08:00-18:00",
                            "08:00-18:00  20Mbit"}) {
    CAPTURE(wrong);
    CHECK_FALSE(plan.add(wrong));
  }
}

TEST_CASE("bytes wait for their turn at their own rate", "[net]") {
  pacer one(1'000'000, {}, nullptr);
  CHECK(one.piece() == 50'000);
  // The first turn began 50 ms ago: so much may be caught up with.
  CHECK(last_of(one, 21, 50'000) == milliseconds(950));
  pacer free(0, {}, nullptr);
  CHECK(last_of(free, 100, free.piece()) == milliseconds(0));
}

TEST_CASE("a pause is caught up with for 50 ms and no more", "[net]") {
  pacer one(1'000'000, {}, nullptr);
  CHECK(last_of(one, 3, 50'000) == milliseconds(50));
  const auto later = now + std::chrono::minutes(1);
  CHECK(one.reserve(50'000, later) == later);
  CHECK(one.reserve(50'000, later) == later);
  CHECK(one.reserve(50'000, later) == later + milliseconds(50));
}

TEST_CASE("two that share a budget have half of it each", "[net]") {
  const temp_folder folder;
  const auto planned = [] { return link_rate{1'000'000}; };
  pacer a(0, planned, open_budget(folder));
  pacer b(0, planned, open_budget(folder));
  auto last_a = now;
  auto last_b = now;
  for (int i = 0; i < 10; ++i) {
    last_a = a.reserve(50'000, now);
    last_b = b.reserve(50'000, now);
  }
  CHECK(last_a == now + milliseconds(850));
  CHECK(last_b == now + milliseconds(900));
}

TEST_CASE("a rate set by hand holds for all, until it is unset", "[net]") {
  const temp_folder folder;
  const auto hand = open_budget(folder);
  CHECK_FALSE(hand->by_hand());
  pacer one(
      0, [] { return link_rate{1'000'000}; }, open_budget(folder));
  CHECK(one.piece() == 50'000);
  hand->set_by_hand(200'000);
  CHECK(one.piece() == 10'000);
  hand->set_by_hand(0);
  CHECK(one.piece() > 200'000);
  hand->set_by_hand(std::nullopt);
  CHECK(one.piece() == 50'000);
}

TEST_CASE("a budget from before the last boot is not waited for", "[net]") {
  const temp_folder folder;
  const auto old = open_budget(folder);
  (void)old->reserve(std::chrono::hours(24), now);
  pacer one(
      0, [] { return link_rate{1'000'000}; }, open_budget(folder));
  CHECK(last_of(one, 1, 50'000) == milliseconds(0));
}

TEST_CASE("right of way waits for the own rate alone, and the others for it",
          "[net]") {
  const temp_folder folder;
  const auto host_rate = [] { return link_rate{1'000'000}; };
  pacer bulk(0, host_rate, open_budget(folder));
  pacer suspended(0, host_rate, open_budget(folder));
  // Ten seconds of somebody else's are reserved.
  const auto others = last_of(bulk, 100, 100'000);
  CHECK(others > milliseconds(9000));
  suspended.take_right_of_way();
  const auto own = last_of(suspended, 10, 100'000);
  CHECK(own > milliseconds(800));
  CHECK(own < milliseconds(1000));
  // What it took is charged.
  const auto after = last_of(bulk, 1, 100'000);
  CHECK(after - others > milliseconds(1000));
}

TEST_CASE("right of way does not lift a connection's own limit", "[net]") {
  pacer one(1'000'000, {}, nullptr);
  one.take_right_of_way();
  CHECK(last_of(one, 11, 100'000) > milliseconds(900));
}

}  // namespace teleport
