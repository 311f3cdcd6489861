// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/link_gauge_test.cpp: a link's rate is what it carries while more
// waits for it, whatever else a pass waits for.

#include "libteleport/session/link_gauge.hpp"

#include "libteleport/base/units.hpp"
#include "libteleport/migrate/convergence.hpp"
#include "test/support/approx.hpp"
#include "test/support/catch.hpp"

namespace teleport {

namespace {

/// A link of 10 MiB/s and what waits for it.
struct link {
  void pass(std::size_t queued, int seconds_of_it, bool carries) {
    for (int i = 0; i < seconds_of_it; ++i) {
      gauge.look(queued, sent, now);
      now += std::chrono::seconds(1);
      sent += carries ? 10_MiB : 0;
    }
    gauge.look(0, sent, now);
  }
  link_gauge gauge;
  std::uint64_t sent = 0;
  link_gauge::time_point now;
};

}  // namespace

TEST_CASE("a link that is never waited for is not measured", "[link_gauge]") {
  link one;
  one.pass(0, 1000, true);
  CHECK(one.gauge.used() == link_use());
}

TEST_CASE("a link that is waited for is measured while it is", "[link_gauge]") {
  link one;
  one.pass(1_MiB, 20, true);
  const link_use bulk = one.gauge.used();
  CHECK(bulk == link_use{200_MiB, std::chrono::seconds(20)});
  one.pass(0, 5000, false);
  one.pass(1_MiB, 3, true);
  CHECK(one.gauge.used() - bulk == link_use{30_MiB, std::chrono::seconds(3)});
}

TEST_CASE("a bulk that a disk held up for hours does not make a link slow",
          "[link_gauge][migrate]") {
  link one;
  one.pass(1_MiB, 4, true);    // 40 MiB were not found there
  one.pass(0, 18'000, false);  // and the rest was only read and announced
  convergence plan({seconds(1), seconds(60)});
  const link_use used = one.gauge.used();
  plan.on_pass(used.bytes, used.time);
  CHECK(plan.time_for(10_MiB).count() == Approx(1));
  CHECK(plan.weigh(800_KiB) == next_step::start_memory);
}

TEST_CASE("a slow link is measured by a small round that takes long",
          "[link_gauge][migrate]") {
  convergence plan({seconds(1), seconds(60)});
  plan.on_pass(80_KiB, seconds(10));
  CHECK(plan.time_for(800_KiB).count() == Approx(100));
}

}  // namespace teleport
