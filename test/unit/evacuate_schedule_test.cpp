// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/evacuate_schedule_test.cpp: which guest of an evacuation moves
// when, and the part of the day in which it may.

#include <random>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "tools/evacuate/day_window.hpp"
#include "tools/evacuate/schedule.hpp"

namespace teleport::evacuation {

namespace {

using list = std::vector<std::size_t>;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const schedule::clock::time_point zero{};

}  // namespace

TEST_CASE("the next move begins as one ends", "[evacuate]") {
  schedule plan(4, 2, seconds(60));
  CHECK(plan.due(zero) == list{0, 1});
  CHECK(plan.due(zero).empty());
  plan.on_end(1, outcome::moved, zero);
  CHECK(plan.due(zero) == list{2});
  CHECK(plan.running() == list{0, 2});
  plan.on_end(0, outcome::gone, zero);
  plan.on_end(2, outcome::not_cleared, zero);
  CHECK(plan.due(zero) == list{3});
  CHECK_FALSE(plan.is_over());
  plan.on_end(3, outcome::moved, zero);
  CHECK(plan.is_over());
  CHECK(plan.ended() == 4);
  CHECK(plan.of(0) == fate::gone);
  CHECK(plan.of(2) == fate::not_cleared);
}

TEST_CASE("what failed is tried once more, after all others and a pause",
          "[evacuate]") {
  schedule plan(3, 1, seconds(60));
  CHECK(plan.due(zero) == list{0});
  plan.on_end(0, outcome::failed, zero);
  CHECK(plan.of(0) == fate::waiting);
  CHECK(plan.due(zero) == list{1});
  plan.on_end(1, outcome::moved, zero);
  CHECK(plan.due(zero) == list{2});
  plan.on_end(2, outcome::moved, zero + seconds(10));
  CHECK(plan.due(zero + seconds(59)).empty());
  CHECK_FALSE(plan.is_over());
  REQUIRE(plan.next_due());
  CHECK(*plan.next_due() == zero + seconds(60));
  CHECK(plan.due(zero + seconds(60)) == list{0});
  CHECK(plan.tries(0) == 2);
  plan.on_end(0, outcome::failed, zero + seconds(70));
  CHECK(plan.of(0) == fate::failed);
  CHECK(plan.is_over());
}

TEST_CASE("a guest of which nobody knows where it runs is not tried again",
          "[evacuate]") {
  schedule plan(1, 1, seconds(0));
  CHECK(plan.due(zero) == list{0});
  plan.on_end(0, outcome::uncertain, zero);
  CHECK(plan.due(zero + hours(1)).empty());
  CHECK(plan.of(0) == fate::uncertain);
  CHECK(plan.is_over());
}

TEST_CASE("nothing begins once it is closed, and each that waits is told apart",
          "[evacuate]") {
  schedule plan(4, 2, seconds(60));
  CHECK(plan.due(zero) == list{0, 1});
  plan.on_end(0, outcome::failed, zero);
  CHECK(plan.due(zero) == list{2});
  plan.close();
  CHECK(plan.due(zero + hours(1)).empty());
  CHECK_FALSE(plan.next_due());
  CHECK(plan.of(0) == fate::failed);       // it waited for its second try
  CHECK(plan.of(3) == fate::not_started);  // it waited for its first
  CHECK_FALSE(plan.is_over());
  plan.on_end(1, outcome::failed, zero);  // cancelled: no second try
  CHECK(plan.of(1) == fate::failed);
  plan.on_end(2, outcome::moved, zero);
  CHECK(plan.is_over());
}

TEST_CASE("an evacuation of nobody is over at once", "[evacuate]") {
  schedule plan(0, 3, seconds(60));
  CHECK(plan.is_over());
  CHECK(plan.due(zero).empty());
}

TEST_CASE("any order of ends leaves each move ended, none tried thrice",
          "[evacuate]") {
  for (unsigned seed = 0; seed < 500; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    const std::size_t moves = random() % 12;
    const std::size_t parallel = 1 + random() % 4;
    schedule plan(moves, parallel, seconds(random() % 3));
    auto now = zero;
    const auto close_at = static_cast<unsigned>(random() % 40);
    for (unsigned step = 0; !plan.is_over(); ++step) {
      REQUIRE(step < 100);
      if (step == close_at) {
        plan.close();
      }
      (void)plan.due(now);
      const auto running = plan.running();
      REQUIRE(running.size() <= parallel);
      if (running.empty()) {
        if (const auto next = plan.next_due()) {
          REQUIRE(*next > now);
          now = *next;
        }
        continue;
      }
      plan.on_end(running[random() % running.size()],
                  static_cast<outcome>(random() % 5),
                  now);
    }
    for (std::size_t i = 0; i < moves; ++i) {
      CHECK(plan.tries(i) <= max_tries);
      CHECK(plan.of(i) != fate::waiting);
      CHECK(plan.of(i) != fate::running);
      CHECK((plan.of(i) == fate::not_started) == (plan.tries(i) == 0));
    }
    CHECK(plan.ended() == moves);
  }
}

TEST_CASE("a window is a part of the day", "[evacuate]") {
  const auto night = read_window("02:00-05:30");
  REQUIRE(night);
  CHECK_FALSE(is_open(*night, hours(2) - seconds(1)));
  CHECK(is_open(*night, hours(2)));
  CHECK(is_open(*night, hours(5) + minutes(29) + seconds(59)));
  CHECK_FALSE(is_open(*night, hours(5) + minutes(30)));
  CHECK(until_close(*night, hours(5)) == minutes(30));
  CHECK(until_close(*night, hours(12)) == seconds(0));
}

TEST_CASE("a window may reach over midnight", "[evacuate]") {
  const auto night = read_window("22:30-04:00");
  REQUIRE(night);
  CHECK(is_open(*night, hours(23)));
  CHECK(is_open(*night, seconds(0)));
  CHECK_FALSE(is_open(*night, hours(4)));
  CHECK_FALSE(is_open(*night, hours(22)));
  CHECK(until_close(*night, hours(23)) == hours(5));
  CHECK(until_close(*night, hours(1)) == hours(3));
  const auto day = read_window("00:00-23:59");
  REQUIRE(day);
  CHECK(is_open(*day, hours(12)));
  CHECK_FALSE(is_open(*day, hours(23) + minutes(59)));
}

TEST_CASE("what is no window is refused", "[evacuate]") {
  for (const char* text : {"",
                           "02:00",
                           "02:00-",
                           "2:00-5:00",
                           "02:00-24:00",
                           "02:60-05:00",
                           "02:00-02:00",
                           "02:00_05:00",
                           "02:00-05:00 ",
                           "-1:00-05:00",
                           "02.00-05.00",
                           "+2:00-05:00"}) {
    CAPTURE(text);
    CHECK_FALSE(read_window(text));
  }
}

}  // namespace teleport::evacuation
