// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/convergence_test.cpp: when the rounds end, against a model of a
// guest and a link.

#include "libteleport/migrate/convergence.hpp"

#include <algorithm>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"

namespace teleport {

namespace {

struct model {
  double link;     ///< bytes/s
  double writes;   ///< bytes/s of blocks newly written
  double hot_set;  ///< bytes: more is never dirty
  std::uint64_t first;
};

struct ending {
  next_step step{};
  std::uint64_t left = 0;
  unsigned rounds = 0;
};

/// Plays rounds until the plan ends them.
ending play(const model& guest, downtime_budget budget) {
  convergence plan(budget);
  std::uint64_t dirty = guest.first;
  for (unsigned round = 0; round < 1000; ++round) {
    const seconds took(static_cast<double>(dirty) / guest.link);
    plan.on_pass(dirty, took);
    dirty = static_cast<std::uint64_t>(
        std::min(guest.hot_set, guest.writes * took.count()));
    const next_step step = plan.weigh(dirty);
    if (step != next_step::another_round) {
      return {step, dirty, plan.rounds()};
    }
  }
  FAIL("the rounds do not end");
  return {};
}

}  // namespace

TEST_CASE("an idle guest needs no rounds", "[migrate]") {
  const ending end = play({1e7, 0, 1e9, 10 * 1_GiB}, {});
  CHECK(end.step == next_step::start_memory);
  CHECK(end.rounds == 0);
}

TEST_CASE("rounds go on while the set gets smaller", "[migrate]") {
  const ending end = play({1e7, 5e6, 1e12, 10 * 1_GiB}, {});
  CHECK(end.step == next_step::start_memory);
  CHECK(end.left <= 10'000'000);
  CHECK(end.rounds > 3);
  CHECK(end.rounds < 15);
}

TEST_CASE(
    "a guest that writes as fast as the link carries is moved when the "
    "rest fits the longest downtime",
    "[migrate]") {
  const ending end = play({1e7, 2e7, 3e8, 1_GiB}, {});
  CHECK(end.step == next_step::start_memory);
  CHECK(end.left == 300'000'000);  // 30 s
  CHECK(end.rounds <= 5);
}

TEST_CASE(
    "a guest that writes more than the longest downtime carries is "
    "not moved",
    "[migrate]") {
  const ending end = play({1e7, 2e7, 1e9, 1_GiB}, {});
  CHECK(end.step == next_step::give_up);
}

TEST_CASE("a set that shrinks too slowly ends after a bounded number of rounds",
          "[migrate]") {
  const ending end = play({1e7, 8.9e6, 1e15, 1000 * 1_GiB}, {});
  CHECK(end.step == next_step::give_up);
  CHECK(end.rounds == 30);
}

TEST_CASE("no set is moved that needs more than the longest downtime",
          "[migrate]") {
  for (const double link : {1e3, 1e4, 1e5, 1e6, 1e7, 1e9}) {
    for (const double share : {0.0, 0.5, 0.99, 1.0, 3.0}) {
      for (const double hot_set : {1e3, 1e5, 1e6, 1e7, 1e9, 1e12}) {
        for (const double longest : {0.1, 1.0, 60.0}) {
          CAPTURE(link, share, hot_set, longest);
          const ending end =
              play({link, link * share, hot_set, 1_GiB},
                   {seconds(std::min(longest, 1.0)), seconds(longest)});
          if (end.step == next_step::start_memory) {
            CHECK(static_cast<double>(end.left) / link <= longest);
          }
        }
      }
    }
  }
}

TEST_CASE("a link that was not measured is not thought fast", "[migrate]") {
  convergence plan({seconds(1), seconds(2)});
  plan.on_pass(1000, seconds(0.001));
  CHECK(plan.time_for(10'000'000) >= seconds(8));
  CHECK(plan.weigh(10'000'000) == next_step::another_round);
  plan.on_pass(100'000'000, seconds(1));
  CHECK(plan.weigh(10'000'000) == next_step::start_memory);
}

TEST_CASE("a pass that took no time says nothing", "[migrate]") {
  convergence plan({});
  plan.on_pass(1_GiB, seconds(0));
  CHECK(plan.time_for(1'250'000) == seconds(1));
}

}  // namespace teleport
