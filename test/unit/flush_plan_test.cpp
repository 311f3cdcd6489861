// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/flush_plan_test.cpp: when targets are flushed while blocks come.

#include "libteleport/session/flush_plan.hpp"

#include "test/support/catch.hpp"

namespace teleport {

namespace {

using namespace std::chrono_literals;

constexpr flush_plan::time_point start(1000s);
constexpr bool bulk = false;
constexpr bool live = true;

}  // namespace

TEST_CASE("in the bulk a flush follows much that was written", "[flush]") {
  flush_plan plan;
  CHECK_FALSE(plan.due(0, bulk));
  CHECK_FALSE(plan.due(flush_plan::much - 1, bulk));
  CHECK(plan.due(flush_plan::much, bulk));
  plan.on_begun(flush_plan::much, start);
  CHECK_FALSE(plan.due(5 * flush_plan::much, bulk));
  plan.on_flushed(start + 10s);
  // A disk that needed 10 s for it is left alone for twice that.
  CHECK(plan.due(5 * flush_plan::much, bulk) == start + 30s);
  CHECK_FALSE(plan.due(2 * flush_plan::much - 1, bulk));
}

TEST_CASE("beside the memory whatever was written is flushed soon", "[flush]") {
  flush_plan plan;
  CHECK_FALSE(plan.due(0, live));
  CHECK(plan.due(1, live));
  plan.on_begun(1, start);
  CHECK_FALSE(plan.due(2, live));
  plan.on_flushed(start + 1ms);
  CHECK_FALSE(plan.due(1, live));
  CHECK(plan.due(2, live) == start + 1001ms);
}

}  // namespace teleport
