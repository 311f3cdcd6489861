// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/departure_test.cpp: what the journal has of a guest that leaves is
// read as it was written, or not at all.

#include "xl-teleport/source/departure.hpp"

#include <string>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

departure some_departure() {
  departure plan{"web1",
                 "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a11",
                 7,
                 "b0b0cafe-0000-4000-8000-000000000001",
                 {}};
  kept_disk disk;
  disk.guest = plan.guest;
  disk.uuid = plan.uuid;
  disk.vdev = "xvda";
  disk.size = 1U << 20U;
  disk.shadow = disk_place{disk_kind::file,
                           "/dev/loop3",
                           "/img/web1.img",
                           "/img/web1.img.teleport-shadow"};
  plan.disks.push_back({disk, false, "/dev/disk/by-id/web1"});
  disk.vdev = "xvdb";
  plan.disks.push_back({disk, true, ""});
  return plan;
}

}  // namespace

TEST_CASE("a departure is read as it was written", "[departure]") {
  const departure plan = some_departure();
  const auto read = read_departure(departure_text(plan));
  REQUIRE(read);
  CHECK(read->guest == plan.guest);
  CHECK(read->uuid == plan.uuid);
  CHECK(read->domid == plan.domid);
  CHECK(read->boot == plan.boot);
  REQUIRE(read->disks.size() == 2);
  CHECK(read->disks[0].entry.shadow->backing == "/img/web1.img");
  CHECK_FALSE(read->disks[0].read_only);
  CHECK(read->disks[0].configured == "/dev/disk/by-id/web1");
  CHECK(read->disks[1].entry.vdev == "xvdb");
  CHECK(read->disks[1].read_only);
}

TEST_CASE("half of a departure is none", "[departure]") {
  const std::string whole = departure_text(some_departure());
  for (std::size_t n = 0; n < whole.size(); ++n) {
    CHECK(read_departure(whole.substr(0, n)).error().code == errc::corrupt);
  }
  // What an entry of an earlier release has: the guest alone.
  CHECK_FALSE(read_departure(R"({"name": "web1", "domid": 7, "disks": []})"));
}

}  // namespace teleport
