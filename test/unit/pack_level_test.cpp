// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/pack_level_test.cpp: how hard blocks are compressed.

#include "libteleport/migrate/pack_level.hpp"

#include "test/support/catch.hpp"

namespace teleport {

namespace {

using held_up_by = pack_level::held_up_by;
using std::chrono::milliseconds;

/// Pieces of 1 MiB, at first one each 20 ms: 400 Mbit/s of what is to be
/// packed.
struct flow {
  void feed(std::uint64_t mib, held_up_by cause, milliseconds packing) {
    for (std::uint64_t i = 0; i < mib; ++i) {
      level.on_piece(1_MiB, cause, now);
      level.on_packed(packing, packed);
      now += pace;
    }
  }
  pack_level level;
  pack_level::time_point now;
  milliseconds pace{20};
  std::size_t packed = 128_KiB;
};

constexpr milliseconds quick{2};
constexpr milliseconds half{10};

}  // namespace

TEST_CASE("a slow link is given harder compression, step by step",
          "[migrate]") {
  flow one;
  CHECK(one.level.now() == 3);
  one.feed(32, held_up_by::link, quick);
  CHECK(one.level.now() == 3);
  one.feed(1, held_up_by::link, quick);
  CHECK(one.level.now() == 6);
  one.feed(1000, held_up_by::link, quick);
  CHECK(one.level.now() == 12);
}

TEST_CASE("no level is taken that would fill the time", "[migrate]") {
  flow one;
  one.feed(1000, held_up_by::link, half);
  CHECK(one.level.now() == 3);
}

TEST_CASE("a link that runs dry is given less", "[migrate]") {
  flow one;
  one.feed(1000, held_up_by::packing, milliseconds(20));
  CHECK(one.level.now() == 1);
}

TEST_CASE("a link that outruns a fast packer is given blocks as they are",
          "[migrate]") {
  flow one;
  one.pace = milliseconds(4);
  one.feed(1000, held_up_by::packing, milliseconds(3));
  CHECK(one.level.now() == 0);
}

TEST_CASE("a slow processor is not judged by bytes alone", "[migrate]") {
  flow one;
  one.now += std::chrono::seconds(1);
  one.feed(1, held_up_by::packing, milliseconds(1500));
  one.now += std::chrono::seconds(2);
  one.feed(1, held_up_by::packing, milliseconds(1500));
  CHECK(one.level.now() == 3);
  one.now += std::chrono::seconds(2);
  one.feed(1, held_up_by::packing, milliseconds(1500));
  CHECK(one.level.now() == 1);
}

TEST_CASE("a shortage that is soon over costs no bytes", "[migrate]") {
  flow one;
  for (int i = 0; i < 10; ++i) {
    one.feed(32, held_up_by::packing, milliseconds(20));
    one.feed(32, held_up_by::nothing, quick);
  }
  CHECK(one.level.now() == 3);
}

TEST_CASE("a level that was too slow is left alone for a while", "[migrate]") {
  flow one;
  one.feed(33, held_up_by::link, quick);
  REQUIRE(one.level.now() == 6);
  one.feed(32, held_up_by::packing, milliseconds(20));
  REQUIRE(one.level.now() == 3);
  one.feed(900, held_up_by::link, quick);
  CHECK(one.level.now() == 3);
  one.feed(200, held_up_by::link, quick);
  CHECK(one.level.now() > 3);
}

TEST_CASE("blocks that come in bursts are not packed less for it",
          "[migrate]") {
  flow one;
  one.feed(1000, held_up_by::packing, half);
  CHECK(one.level.now() == 3);
}

TEST_CASE("a disk that gives little changes nothing", "[migrate]") {
  flow one;
  one.feed(1000, held_up_by::nothing, quick);
  CHECK(one.level.now() == 3);
}

TEST_CASE("blocks that do not shrink cross a fast link as they are",
          "[migrate]") {
  flow one;
  one.pace = milliseconds(5);
  one.packed = 1_MiB;
  one.feed(33, held_up_by::link, quick);
  CHECK(one.level.now() == 0);
  SECTION("what comes next is tried again") {
    one.packed = 384_KiB;
    one.feed(257, held_up_by::link, quick);
    CHECK(one.level.now() == 3);
    one.feed(40, held_up_by::link, quick);
    CHECK(one.level.now() != 0);
  }
  SECTION("and as they are again when it is no better") {
    one.feed(256, held_up_by::link, quick);
    CHECK(one.level.now() == 3);
    one.feed(34, held_up_by::link, quick);
    CHECK(one.level.now() == 0);
  }
}

TEST_CASE("a fast link is given the lowest level whatever holds blocks up",
          "[migrate]") {
  flow one;
  one.pace = milliseconds(5);
  one.packed = 384_KiB;
  one.feed(1000, held_up_by::link, quick);
  CHECK(one.level.now() == 1);
}

TEST_CASE("on a slow link blocks that do not shrink are tried on",
          "[migrate]") {
  flow one;
  one.pace = milliseconds(40);
  one.packed = 1_MiB;
  one.feed(1000, held_up_by::link, quick);
  CHECK(one.level.now() == 12);
}

}  // namespace teleport
