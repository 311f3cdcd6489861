// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/queue_room_test.cpp: how much memory waits for a link, by its rate.

#include "libteleport/session/queue_room.hpp"

#include "test/support/catch.hpp"

namespace teleport {

namespace {

using std::chrono::milliseconds;

}  // namespace

TEST_CASE("memory waits for a tenth of a second of the link", "[queue_room]") {
  queue_room room;
  CHECK(room.bytes() == queue_room::least);
  room.look({10'000'000, milliseconds(1000)});
  CHECK(room.bytes() == 1'000'000);
  // A faster one, and a slower one: of the use since the last look.
  room.look({30'000'000, milliseconds(2000)});
  CHECK(room.bytes() == 2'000'000);
  room.look({33'000'000, milliseconds(4000)});
  CHECK(room.bytes() == 150'000);
}

TEST_CASE("the room is bounded whatever the link is", "[queue_room]") {
  queue_room room;
  room.look({8000, milliseconds(1000)});
  CHECK(room.bytes() == queue_room::least);
  room.look({8000 + 10'000'000'000, milliseconds(2000)});
  CHECK(room.bytes() == queue_room::most);
}

TEST_CASE("use that is short is added to what follows", "[queue_room]") {
  queue_room room;
  room.look({50'000'000, milliseconds(499)});
  CHECK(room.bytes() == queue_room::least);
  room.look({50'000'000, milliseconds(5000)});
  CHECK(room.bytes() == 1'000'000);
}

}  // namespace teleport
