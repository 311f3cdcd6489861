// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/reconnect_test.cpp: how long a lost link is looked for.

#include "xl-teleport/source/reconnect.hpp"

#include "test/support/catch.hpp"

namespace teleport {

namespace {

using std::chrono::seconds;

struct looking {
  std::optional<seconds> after(attempt_end end, int at) {
    return policy.after(end, reconnect_policy::time_point(seconds(at)));
  }
  reconnect_policy policy{seconds(60)};
};

}  // namespace

TEST_CASE("what was never there is not looked for", "[reconnect]") {
  looking one;
  CHECK_FALSE(one.after(attempt_end::not_there, 0));
  CHECK(one.policy.losses() == 0);
}

TEST_CASE("a lost link is looked for, less and less often", "[reconnect]") {
  looking one;
  CHECK(one.after(attempt_end::link_lost, 100) == seconds(1));
  CHECK(one.after(attempt_end::not_there, 101) == seconds(2));
  CHECK(one.after(attempt_end::not_there, 103) == seconds(4));
  CHECK(one.after(attempt_end::not_there, 107) == seconds(8));
  CHECK(one.after(attempt_end::not_there, 115) == seconds(16));
  // The next would come 30 s later, which is past the minute.
  CHECK_FALSE(one.after(attempt_end::not_there, 131));
}

TEST_CASE("a link that was there again has all the time anew", "[reconnect]") {
  looking one;
  CHECK(one.after(attempt_end::link_lost, 100));
  CHECK(one.after(attempt_end::not_there, 150) == seconds(2));
  CHECK(one.after(attempt_end::link_lost, 155) == seconds(1));
  CHECK(one.after(attempt_end::not_there, 210) == seconds(2));
  CHECK_FALSE(one.after(attempt_end::not_there, 214));
  CHECK(one.policy.losses() == 2);
}

TEST_CASE("a link that never lasts for the memory is given up", "[reconnect]") {
  looking one;
  CHECK(one.after(attempt_end::memory_lost, 100) == seconds(1));
  CHECK(one.after(attempt_end::link_lost, 200) == seconds(1));
  CHECK(one.after(attempt_end::memory_lost, 300) == seconds(1));
  CHECK(one.after(attempt_end::not_there, 301) == seconds(2));
  CHECK(one.after(attempt_end::memory_lost, 400) == seconds(1));
  CHECK_FALSE(one.after(attempt_end::memory_lost, 500));
  CHECK(one.policy.losses() == 5);
}

TEST_CASE("what failed for another reason is not tried again", "[reconnect]") {
  looking one;
  CHECK(one.after(attempt_end::link_lost, 0));
  CHECK_FALSE(one.after(attempt_end::over, 1));
}

TEST_CASE("no time to look gives up at once", "[reconnect]") {
  reconnect_policy never{seconds(0)};
  CHECK_FALSE(never.after(attempt_end::link_lost, {}));
  CHECK(never.losses() == 1);
}

}  // namespace teleport
