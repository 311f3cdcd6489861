// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/donor_follow_test.cpp: which of the indexed disks are followed, and
// for which guest.

#include "test/support/catch.hpp"
#include "test/support/donor_host.hpp"
#include "tools/teleportd/donor_set.hpp"
#include "tools/teleportd/scan_backoff.hpp"

namespace teleport {

TEST_CASE("the guest of a disk is told when it alone has the device",
          "[donors]") {
  fake_host host;
  host.file("/img/a", 11);
  host.loop(3, "/img/a");
  host.index("/img/a", false);
  CHECK(host.plan().hold.front().guest == 0);
  host.guest({7, 3}, "");
  CHECK(host.plan().hold.front().guest == 1);
  host.view.guests->push_back({2, 7, 3, "", false});
  CHECK(host.plan().hold.front().guest == 0);
  CHECK(host.plan().guests_known);
  host.view.guests.reset();
  CHECK_FALSE(host.plan().guests_known);
}

TEST_CASE("so many disks are followed, those of guests first", "[donors]") {
  donors disks{{"/a", "/dev/loop0", 1, true, 0},
               {"/b", "", 2, true, 0},
               {"/c", "/dev/loop1", 3, true, 9},
               {"/d", "/dev/loop2", 4, true, 0}};
  const donors all = disks;
  CHECK(follow_at_most(3, disks) == 0);
  CHECK(disks == all);
  CHECK(follow_at_most(2, disks) == 1);
  CHECK(disks[3].device.empty());
  CHECK(follow_at_most(1, disks) == 1);
  CHECK(disks[0].device.empty());
  CHECK(disks[2] == all[2]);
  CHECK(follow_at_most(0, disks) == 1);
}

TEST_CASE("scans of no use are made at intervals that double, up to a day",
          "[donors]") {
  using std::chrono::seconds;
  scan_backoff scans;
  scan_backoff::clock::time_point now;
  CHECK(scans.may_begin(now));
  CHECK(scans.ended(now) == seconds(0));
  CHECK(scans.may_begin(now));
  CHECK(scans.ended(now) == seconds(60));
  CHECK_FALSE(scans.may_begin(now + seconds(59)));
  CHECK(scans.may_begin(now + seconds(60)));
  CHECK(scans.ended(now) == seconds(120));
  for (int i = 0; i < 20; ++i) {
    static_cast<void>(scans.ended(now));
  }
  CHECK(scans.ended(now) == scan_backoff::longest_pause);
  scans.reset();
  CHECK(scans.in_vain() == 0);
  CHECK(scans.ended(now) == seconds(0));
}

}  // namespace teleport
