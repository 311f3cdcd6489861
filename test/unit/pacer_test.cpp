// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/pacer_test.cpp: rates, plans by the hour, and turns on the link.

#include "libteleport/net/pacer.hpp"

#include <filesystem>
#include <string>

#include <unistd.h>

#include <catch2/catch.hpp>

#include "test/support/print_error.hpp"
#include "xl-teleport/setup/link_plan.hpp"

namespace teleport {

namespace {

using std::chrono::milliseconds;

struct budget_path {
  budget_path()
      : path("/tmp/teleport-pacer-" + std::to_string(::getpid()) + ".budget") {}
  budget_path(const budget_path&) = delete;
  budget_path& operator=(const budget_path&) = delete;
  budget_path(budget_path&&) = delete;
  budget_path& operator=(budget_path&&) = delete;
  ~budget_path() { std::filesystem::remove(path); }
  std::string path;
};

/// When the last of many pieces may go, from now.
milliseconds last_of(pacer& one, std::size_t count, std::size_t bytes) {
  const auto began = pacer::clock::now();
  auto at = began;
  for (std::size_t i = 0; i < count; ++i) {
    at = one.reserve(bytes);
  }
  return std::chrono::duration_cast<milliseconds>(at - began);
}

}  // namespace

TEST_CASE("rates are read with their unit, and nothing else is", "[net]") {
  CHECK(read_rate("100Mbit") == 12'500'000U);
  CHECK(read_rate("12MB") == 12'000'000U);
  CHECK(read_rate("1.5Gbit") == 187'500'000U);
  CHECK(read_rate("800kB") == 800'000U);
  CHECK(read_rate("off") == 0U);
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
                            "100mbit",
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
  const auto last = last_of(one, 21, 50'000);
  CHECK(last >= milliseconds(940));
  CHECK(last <= milliseconds(1000));
  pacer free(0, {}, nullptr);
  CHECK(last_of(free, 100, free.piece()) <= milliseconds(1));
}

TEST_CASE("two that share a budget have half of it each", "[net]") {
  const budget_path file;
  const auto planned = [] { return link_rate{1'000'000}; };
  auto first = host_budget::open(file.path);
  auto second = host_budget::open(file.path);
  REQUIRE(first);
  REQUIRE(second);
  pacer a(0, planned, std::move(*first));
  pacer b(0, planned, std::move(*second));
  const auto began = pacer::clock::now();
  auto last_a = began;
  auto last_b = began;
  for (int i = 0; i < 10; ++i) {
    last_a = a.reserve(50'000);
    last_b = b.reserve(50'000);
  }
  CHECK(last_b - began >= milliseconds(890));
  CHECK(last_b - last_a == milliseconds(50));
}

TEST_CASE("a rate set by hand holds for all, until it is taken back", "[net]") {
  const budget_path file;
  auto hand = host_budget::open(file.path);
  REQUIRE(hand);
  CHECK_FALSE((*hand)->by_hand());
  auto other = host_budget::open(file.path);
  REQUIRE(other);
  pacer one(
      0, [] { return link_rate{1'000'000}; }, std::move(*other));
  CHECK(one.piece() == 50'000);
  (*hand)->set_by_hand(200'000);
  CHECK(one.piece() == 10'000);
  (*hand)->set_by_hand(0);
  CHECK(one.piece() > 200'000);
  (*hand)->set_by_hand(std::nullopt);
  CHECK(one.piece() == 50'000);
}

TEST_CASE("a budget from before the last boot is not waited for", "[net]") {
  const budget_path file;
  auto old = host_budget::open(file.path);
  REQUIRE(old);
  (void)(*old)->reserve(std::chrono::hours(24));
  pacer one(
      0, [] { return link_rate{1'000'000}; }, std::move(*old));
  CHECK(last_of(one, 1, 50'000) <= milliseconds(1));
}

}  // namespace teleport
