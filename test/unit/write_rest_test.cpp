// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/write_rest_test.cpp: the wait for the last writes ends when none is
// in flight, when that cannot be told, and at its limit.

#include "libteleport/disk/write_rest.hpp"

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

constexpr write_rest_terms no_pause{std::chrono::seconds(30),
                                    std::chrono::microseconds(0)};

}  // namespace

TEST_CASE("a disk at rest is asked once", "[rest]") {
  unsigned asked = 0;
  CHECK(wait_until_no_write_in_flight([&]() -> result<bool> {
    ++asked;
    return true;
  }));
  CHECK(asked == 1);
}

TEST_CASE("a disk is asked until its writes have ended", "[rest]") {
  unsigned asked = 0;
  CHECK(wait_until_no_write_in_flight(
      [&]() -> result<bool> { return ++asked == 4; }, no_pause));
  CHECK(asked == 4);
}

TEST_CASE("a disk that never rests is an error at the limit", "[rest]") {
  const auto waited = wait_until_no_write_in_flight(
      []() -> result<bool> { return false; },
      {std::chrono::seconds(0), std::chrono::microseconds(0)});
  REQUIRE_FALSE(waited);
  CHECK(waited.error().code == errc::timeout);
}

TEST_CASE("a tracker that cannot tell is an error at once", "[rest]") {
  unsigned asked = 0;
  const auto waited = wait_until_no_write_in_flight(
      [&]() -> result<bool> {
        ++asked;
        return error(errc::mismatch, "another device");
      },
      no_pause);
  REQUIRE_FALSE(waited);
  CHECK(waited.error().code == errc::mismatch);
  CHECK(asked == 1);
}

}  // namespace teleport
