// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/pack_level_test.cpp: how hard blocks are compressed.

#include "libteleport/migrate/pack_level.hpp"

#include <catch2/catch.hpp>

namespace teleport {

namespace {

using held_up_by = pack_level::held_up_by;

void feed(pack_level& level, std::uint64_t mib, held_up_by cause) {
  for (std::uint64_t i = 0; i < mib; ++i) {
    level.on_piece(1_MiB, cause);
  }
}

}  // namespace

TEST_CASE("a slow link is given harder compression, step by step",
          "[migrate]") {
  pack_level level;
  CHECK(level.now() == 3);
  feed(level, 31, held_up_by::link);
  CHECK(level.now() == 3);
  feed(level, 1, held_up_by::link);
  CHECK(level.now() == 6);
  feed(level, 1000, held_up_by::link);
  CHECK(level.now() == 12);
}

TEST_CASE("a link that runs dry is given less, down to none", "[migrate]") {
  pack_level level;
  feed(level, 1000, held_up_by::packing);
  CHECK(level.now() == 0);
}

TEST_CASE("a level that was too slow is left alone for a while", "[migrate]") {
  pack_level level;
  feed(level, 32, held_up_by::link);
  REQUIRE(level.now() == 6);
  feed(level, 32, held_up_by::packing);
  REQUIRE(level.now() == 3);
  feed(level, 900, held_up_by::link);
  CHECK(level.now() == 3);
  feed(level, 200, held_up_by::link);
  CHECK(level.now() > 3);
}

TEST_CASE("a disk that gives little changes nothing", "[migrate]") {
  pack_level level;
  feed(level, 1000, held_up_by::nothing);
  CHECK(level.now() == 3);
}

}  // namespace teleport
