// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/memory_brake_test.cpp: when libxl's stream waits for the rounds.

#include "libteleport/session/memory_brake.hpp"

#include "test/support/catch.hpp"

namespace teleport {

TEST_CASE("memory is held while more is left than was wanted", "[brake]") {
  memory_brake brake;
  CHECK_FALSE(brake.weigh(0, true));
  CHECK(brake.weigh(1000, false));
  CHECK(brake.holds());
  CHECK(brake.weigh(500, false));
  CHECK_FALSE(brake.weigh(100, true));
  CHECK_FALSE(brake.holds());
}

TEST_CASE("rounds in vain hold the memory for a while and not for ever",
          "[brake]") {
  memory_brake brake;
  unsigned held = 0;
  unsigned free = 0;
  for (unsigned i = 0; i < 40; ++i) {
    brake.weigh(1000, false) ? ++held : ++free;
  }
  CHECK(free == 40 / (memory_brake::most_in_vain + 1));
  CHECK(held == 40 - free);
}

TEST_CASE("rounds that are of use hold it as long as they are", "[brake]") {
  memory_brake brake;
  double left = 1e12;
  for (unsigned i = 0; i < 100; ++i) {
    CHECK(brake.weigh(static_cast<std::uint64_t>(left), false));
    left *= 0.89;
  }
}

TEST_CASE("a brake that is released knows nothing of before", "[brake]") {
  memory_brake brake;
  CHECK(brake.weigh(1000, false));
  brake.release();
  CHECK_FALSE(brake.holds());
  CHECK(brake == memory_brake());
}

}  // namespace teleport
