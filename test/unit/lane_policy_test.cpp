// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/lane_policy_test.cpp: how many connections a link gets.

#include "libteleport/net/lane_policy.hpp"

#include <algorithm>
#include <functional>

#include "test/support/catch.hpp"

using namespace teleport;

namespace {

/// A link that is looked at each second.
class looked_at_link {
 public:
  /// @param rate  bytes a second that so many lanes carry
  explicit looked_at_link(std::function<std::uint64_t(unsigned lanes)> rate)
      : rate_(std::move(rate)) {}

  bool busy = true;
  bool lossy = true;

  /// @return lanes after so many seconds
  unsigned after(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      now_ += std::chrono::seconds(1);
      seen_.acknowledged += rate_(lanes_);
      seen_.busy = busy;
      seen_.lossy = lossy;
      lanes_ = policy_.on_look(seen_, now_);
    }
    return lanes_;
  }

 private:
  std::function<std::uint64_t(unsigned)> rate_;
  lane_policy policy_;
  lane_policy::look seen_;
  lane_policy::time_point now_;
  unsigned lanes_ = 1;
};

constexpr std::uint64_t one_lane = 200'000;

}  // namespace

TEST_CASE("where each lane brings more there will be the most there may be",
          "[net][lanes]") {
  looked_at_link link([](unsigned lanes) { return lanes * one_lane; });
  CHECK(link.after(3) == 1);
  CHECK(link.after(60) == most_lanes);
  CHECK(link.after(60) == most_lanes);
}

TEST_CASE("the search ends where more lanes bring no more", "[net][lanes]") {
  looked_at_link link(
      [](unsigned lanes) { return std::min(lanes, 3U) * one_lane; });
  CHECK(link.after(120) == 8);  // 4 brought half as much again, 8 nothing
}

TEST_CASE("a full link costs one lane that was tried", "[net][lanes]") {
  looked_at_link link([](unsigned) { return one_lane; });
  CHECK(link.after(300) == 2);
}

TEST_CASE("a link that loses nothing keeps its one lane", "[net][lanes]") {
  looked_at_link link([](unsigned lanes) { return lanes * one_lane; });
  link.lossy = false;
  CHECK(link.after(300) == 1);
}

TEST_CASE("what was not busy all the time says nothing", "[net][lanes]") {
  looked_at_link link([](unsigned lanes) { return lanes * one_lane; });
  for (int i = 0; i < 50; ++i) {
    CHECK(link.after(3) == 1);
    link.busy = false;
    CHECK(link.after(1) == 1);
    link.busy = true;
  }
  CHECK(link.after(6) == 2);
}
