// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <array>

#include "libteleport/stream/gate.hpp"
#include "test/support/catch.hpp"

namespace teleport {

namespace {

void tell(gate& held, int what) {
  switch (what) {
    case 0:
      held.stream_complete();
      break;
    case 1:
      held.disks_proven();
      break;
    default:
      held.disks_durable();
      break;
  }
}

}  // namespace

TEST_CASE("the gate opens after all three conditions, in any order",
          "[stream]") {
  // Every sequence of up to four news, repeated ones too.
  for (int n = 0; n < 3 * 3 * 3 * 3; ++n) {
    gate held;
    std::array<bool, 3> told{};
    for (int i = 0, rest = n; i < 4; ++i, rest /= 3) {
      tell(held, rest % 3);
      told[static_cast<std::size_t>(rest % 3)] = true;
      const bool all = told[0] && told[1] && told[2];
      REQUIRE(held.may_open() == all);
      if (!all) {
        REQUIRE_FALSE(held.open().has_value());
        REQUIRE_FALSE(held.is_open());
      }
    }
  }
}

TEST_CASE("the gate gives the END record exactly once", "[stream]") {
  gate held;
  for (const int what : {0, 1, 2}) {
    tell(held, what);
  }
  const auto end = held.open();
  REQUIRE(end.has_value());
  REQUIRE(end->size() == 8);
  CHECK(std::all_of(
      end->begin(), end->end(), [](std::byte b) { return b == std::byte{0}; }));
  CHECK(held.is_open());
  CHECK_FALSE(held.may_open());
  tell(held, 0);
  CHECK_FALSE(held.open().has_value());
}

TEST_CASE("a gate that was shut never opens", "[stream]") {
  for (int before = 0; before <= 3; ++before) {
    gate held;
    for (int i = 0; i < 3; ++i) {
      if (i == before) {
        held.shut();
      }
      tell(held, i);
    }
    if (before == 3) {
      held.shut();
    }
    CHECK_FALSE(held.may_open());
    const auto end = held.open();
    REQUIRE_FALSE(end.has_value());
    CHECK(end.error().context.find("failed") != std::string::npos);
  }
}

TEST_CASE("a gate says what it waits for", "[stream]") {
  gate held;
  held.disks_proven();
  const auto end = held.open();
  REQUIRE_FALSE(end.has_value());
  CHECK(end.error().context ==
        "the guest's stream is held: waiting for [the whole stream] [the disks "
        "on stable storage]");
}

}  // namespace teleport
