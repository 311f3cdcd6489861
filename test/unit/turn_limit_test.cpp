// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/turn_limit_test.cpp: when a source loses its turn to send memory.

#include "libteleport/session/turn_limit.hpp"

#include "test/support/catch.hpp"

namespace teleport {

namespace {

using namespace std::chrono_literals;
using verdict = turn_limit::verdict;

constexpr turn_limit::time_point start(1000s);
constexpr std::uint64_t gib_in_kib = 1_MiB;

/// What is seen every 5 s until `until`, of a source that sends `each` bytes
/// in between.
verdict after(turn_limit& turn,
              std::uint64_t each,
              std::chrono::seconds from,
              std::chrono::seconds until,
              std::uint64_t& received) {
  for (auto at = from; at <= until; at += 5s) {
    received += each;
    turn.look({received}, start + at);
  }
  return turn.judge();
}

}  // namespace

TEST_CASE("a turn is lost by less than 1 MiB in 60 s", "[turn]") {
  turn_limit turn(gib_in_kib, start);
  std::uint64_t received = 7_MiB;
  CHECK(after(turn, 0, 0s, 55s, received) == verdict::keeps);
  CHECK(after(turn, 0, 60s, 60s, received) == verdict::too_slow);
  // It is what is seen last: who has sent since then keeps its turn.
  CHECK(after(turn, 1_MiB, 65s, 65s, received) == verdict::keeps);
  CHECK(after(turn, 17'000, 70s, 120s, received) == verdict::keeps);
  CHECK(after(turn, 17'000, 125s, 125s, received) == verdict::too_slow);
}

TEST_CASE("a source that sends 1 MiB in 60 s keeps its turn", "[turn]") {
  turn_limit turn(gib_in_kib, start);
  std::uint64_t received = 0;
  CHECK(after(turn, 100'000, 0s, 600s, received) == verdict::keeps);
}

TEST_CASE("time in which the destination works is not the source's", "[turn]") {
  turn_limit turn(gib_in_kib, start);
  for (auto at = 0s; at <= 300s; at += 5s) {
    turn.look({5, false}, start + at);
    CHECK(turn.judge() == verdict::keeps);
  }
  std::uint64_t received = 5;
  CHECK(after(turn, 0, 305s, 355s, received) == verdict::keeps);
  CHECK(after(turn, 0, 360s, 360s, received) == verdict::too_slow);
}

TEST_CASE("a turn is as long as 2 Mbit/s need for the memory, and 10 min",
          "[turn]") {
  const auto [kib, longest] = GENERATE(
      std::pair<std::uint64_t, std::chrono::seconds>{0, 600s},
      std::pair<std::uint64_t, std::chrono::seconds>{gib_in_kib, 600s + 4294s},
      std::pair<std::uint64_t, std::chrono::seconds>{64 * gib_in_kib,
                                                     600s + 274877s});
  turn_limit turn(kib, start);
  turn.look({1_MiB}, start + longest - 1s);
  CHECK(turn.judge() == verdict::keeps);
  turn.look({4_MiB}, start + longest);
  CHECK(turn.judge() == verdict::too_long);
  // The rest is the hook's and xl's.
  turn.look({4_MiB, true, true}, start + longest + 100s);
  CHECK(turn.judge() == verdict::keeps);
}

TEST_CASE("no memory makes the turn's end overflow", "[turn]") {
  turn_limit turn(UINT64_MAX, start);
  turn.look({1_MiB}, start + 1s);
  CHECK(turn.judge() == verdict::keeps);
}

}  // namespace teleport
