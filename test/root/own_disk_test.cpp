// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/own_disk_test.cpp: what an index has told of a disk counts until
// its last audit: which looks at the disk's entry, and asks the tracker.

#include "index/own_disk.hpp"

#include "test/support/catch.hpp"
#include "test/support/kept_world.hpp"
#include "test/support/pinned_tracker.hpp"
#include "test/support/root_devices.hpp"

namespace teleport::index {

TEST_CASE("what an index told is refused when its tracker missed a write",
          "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  expect_warnings();
  const kept_world world("64");
  const auto tables = world.open_followed();
  const auto own = world.own(tables);
  REQUIRE(own);
  REQUIRE(own->find(3));
  REQUIRE(own->audit());
  const test::pinned_tracker kernel(world.trackers().path());
  kernel.set_insert_failed(1);
  const auto audited = own->audit();
  kernel.set_insert_failed(0);
  REQUIRE_FALSE(audited);
  CHECK(audited.error().code == errc::mismatch);
  CHECK_FALSE(own->find(3));
}

TEST_CASE("what an index told is refused once the disk's entry is replaced",
          "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const kept_world world("64");
  const auto tables = world.open_followed();
  const auto own = world.own(tables);
  REQUIRE(own);
  REQUIRE(own->find(3));
  REQUIRE(own->audit());
  // Its tracker goes on, and misses nothing.
  const auto entries = tables->disks();
  REQUIRE(entries);
  REQUIRE(tables->remove_disk(entries->all().front().id));
  const auto audited = own->audit();
  REQUIRE_FALSE(audited);
  CHECK(audited.error().code == errc::mismatch);
  CHECK_FALSE(own->find(3));
}

}  // namespace teleport::index
