// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fault/duet_seeds_test.cpp: test/unit/duet_test.cpp with many seeds.

#include "test/support/catch.hpp"
#include "test/support/duet.hpp"
#include "test/support/duet_world.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

TEST_CASE("the target is the source's disk in the end, for 300 seeds",
          "[fault]") {
  for (std::uint64_t seed = 1000; seed < 1300; ++seed) {
    CAPTURE(seed);
    duet_world world(seed, 1 + seed % 4 / 2, 1 + seed % 5 / 3);
    duet both(seed, world.sources(), world.targets(), world.lookup());
    if (seed % 2 == 0) {
      both.know(world.know_some());
    }
    std::uint64_t calls = 0;
    both.while_running([&] {
      if (++calls % (1 + seed % 20) == 0) {
        world.write_somewhere();
      }
    });
    REQUIRE(both.bulk());
    const rebuild_counts& counts = both.receiver().bulk();
    CHECK(counts.zero + counts.in_place + counts.donors + counts.link ==
          world.total_bytes());
    for (std::uint64_t round = 0; round < seed % 3; ++round) {
      REQUIRE(both.round(world.take_dirty()));
    }
    both.while_running({});
    REQUIRE(both.round(world.take_dirty()));
    CHECK(both.receiver().all_proven());
    CHECK(both.broken() == "");
    CHECK(world.difference() == "");
  }
}

}  // namespace teleport
