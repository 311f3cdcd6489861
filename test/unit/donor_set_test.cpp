// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/donor_set_test.cpp: which disks the index shall hold, decided from
// views of a host that is made up.

#include "tools/teleportd/donor_set.hpp"

#include <string>
#include <vector>

#include "test/support/catch.hpp"
#include "test/support/donor_host.hpp"

namespace teleport {

TEST_CASE("a guest's disk is indexed under a name that lasts", "[donors]") {
  fake_host host;
  std::string path;
  std::string device;
  SECTION("a loop device's file, whatever the configuration names") {
    host.file("/img/a", 11);
    host.loop(3, "/img/a");
    host.guest({7, 3}, GENERATE("", "/dev/loop3", "/img/a"));
    path = "/img/a";
    device = "/dev/loop3";
  }
  SECTION("a file under another name by its own") {
    host.file("/link/a", 11);
    host.view.paths["/link/a"].real = "/img/a";
    host.loop(3, "/link/a");
    host.guest({7, 3}, "");
    path = "/img/a";
    device = "/dev/loop3";
  }
  SECTION("a loop device over a part of a file, or over a deleted one") {
    host.loop(3, "");
    host.guest({7, 3}, "/dev/loop3");
    path = device = "/dev/loop3";
  }
  SECTION("a loop device whose file is out of reach") {
    host.loop(3, "/img/a");
    host.no_file("/img/a");
    host.guest({7, 3}, "");
    path = device = "/dev/loop3";
  }
  SECTION("a volume as it was named") {
    host.volume(2, "/dev/mapper/vg0-web");
    host.name("/dev/vg0/web", {253, 2});
    host.guest({253, 2}, "/dev/vg0/web");
    path = "/dev/vg0/web";
    device = "/dev/dm-2";
  }
  SECTION("a volume whose name means another one now") {
    host.volume(2, "/dev/mapper/vg0-web");
    host.name("/dev/vg0/web", {253, 9});
    host.guest({253, 2}, "/dev/vg0/web");
    path = "/dev/mapper/vg0-web";
    device = "/dev/dm-2";
  }
  SECTION("a volume that was named by the kernel's number") {
    host.volume(2, "/dev/mapper/vg0-web");
    host.guest({253, 2}, "/dev/dm-2");
    path = "/dev/mapper/vg0-web";
    device = "/dev/dm-2";
  }
  SECTION("a volume that udev gave no name") {
    host.device("/dev/dm-2", {253, 2}).mapper = "/dev/mapper/x";
    host.guest({253, 2}, "");
    path = device = "/dev/dm-2";
  }
  SECTION("a disk by a link of udev's") {
    host.device("/dev/sdb", {8, 16});
    host.name("/dev/disk/by-id/ata-1", {8, 16});
    host.guest({8, 16}, "/dev/disk/by-id/ata-1");
    path = "/dev/disk/by-id/ata-1";
    device = "/dev/sdb";
  }
  SECTION("a partition, which is a device of its own") {
    host.device("/dev/sdb1", {8, 17});
    host.guest({8, 17}, "/dev/sdb1");
    path = device = "/dev/sdb1";
  }
  SECTION("a disk whose name is gone") {
    host.device("/dev/sdb", {8, 16});
    host.guest({8, 16}, "/dev/disk/by-id/ata-1");
    path = device = "/dev/sdb";
  }
  CHECK(host.plan().hold == donors{{path, device, 0, true, 1}});
}

TEST_CASE("what has no device any more is not added", "[donors]") {
  fake_host host;
  SECTION("the kernel does not know it") {
    host.guest({253, 2}, "/dev/vg0/web");
  }
  SECTION("nothing is under the loop device") {
    host.loop(3, "", false);
    host.guest({7, 3}, "/dev/loop3");
  }
  SECTION("its node is another device") {
    host.device("/dev/sdb", {8, 16});
    host.name("/dev/sdb", {8, 32});
    host.guest({8, 16}, "/dev/sdb");
  }
  SECTION("its name is none for the index") {
    host.device("/dev/sdb", {8, 16});
    host.name("/dev/a\nb", {8, 16});
    host.guest({8, 16}, "/dev/a\nb");
  }
  CHECK(host.plan().hold.empty());
}

TEST_CASE("a disk that several have, or under two names, is held once",
          "[donors]") {
  fake_host host;
  host.file("/img/a", 11);
  host.loop(3, "/img/a");
  host.loop(4, "/img/a");
  host.guest({7, 3}, "", false);
  host.guest({7, 3}, "", false);
  donors expected = {{"/img/a", "/dev/loop3", 0, true, 1}};
  SECTION("one disk, read by two guests") {}
  SECTION("two loop devices: the one that is written is tracked") {
    host.guest({7, 4}, "");
    expected[0].device = "/dev/loop4";
  }
  SECTION("a guest's disk that lies in a watched folder") {
    host.view.images = {"/img/a"};
  }
  SECTION("two names of one file in a watched folder") {
    host.file("/img/b", 11);
    host.view.images = {"/img/a", "/img/b"};
  }
  SECTION("a file that is listed") {
    expected[0] = {
        "/img/a", "/dev/loop3", host.index("/img/a", false), false, 1};
  }
  SECTION("a file that is listed under another name") {
    host.file("/img/b", 11);
    expected[0] = {
        "/img/b", "/dev/loop3", host.index("/img/b", false), false, 1};
  }
  SECTION("a loop device that is listed itself") {
    expected[0] = {
        "/dev/loop4", "/dev/loop4", host.index("/dev/loop4", false), false};
  }
  SECTION("a file that was added by itself") {
    expected[0] = {"/img/a", "/dev/loop3", host.index("/img/a", true), true, 1};
  }
  CHECK(host.plan().hold == expected);
  CHECK(host.plan().drop.empty());
}

TEST_CASE("a volume under two names is held once", "[donors]") {
  fake_host host;
  host.volume(2, "/dev/mapper/vg0-web");
  host.name("/dev/vg0/web", {253, 2});
  host.guest({253, 2}, "/dev/vg0/web");
  const auto id = host.index("/dev/mapper/vg0-web", false);
  CHECK(host.plan().hold ==
        donors{{"/dev/mapper/vg0-web", "/dev/dm-2", id, false, 1}});
}

TEST_CASE("what is listed gets the device that it is written through",
          "[donors]") {
  fake_host host;
  host.file("/img/a", 11);
  host.file("/img/plain", 12);
  host.loop(3, "/img/a");
  host.device("/dev/sdb", {8, 16});
  host.name("/dev/vg0/web", {253, 2});
  host.index("/img/a", false);
  host.index("/img/plain", false);
  host.index("/dev/sdb", false);
  host.index("/dev/vg0/web", false);  // sysfs does not know it
  host.view.guests.reset();
  CHECK(host.plan().hold == donors{{"/img/a", "/dev/loop3", 1, false},
                                   {"/img/plain", "", 2, false},
                                   {"/dev/sdb", "/dev/sdb", 3, false},
                                   {"/dev/vg0/web", "/dev/vg0/web", 4, false}});
}

TEST_CASE("what an administrator listed is never dropped", "[donors]") {
  fake_host host;
  SECTION("deleted") {
    host.no_file("/img/a");
  }
  SECTION("of nothing that was looked up") {}
  SECTION("out of reach") {
    host.view.paths["/img/a"].what = kind::unreachable;
  }
  SECTION("a folder now") {
    host.view.paths["/img/a"].what = kind::other;
  }
  SECTION("gone for long") {
    host.no_file("/img/a");
    host.view.long_gone = {1};
  }
  host.index("/img/a", false);
  const donor_plan plan = host.plan();
  CHECK(plan.hold.empty());
  CHECK(plan.drop.empty());
  CHECK(plan.waiting.empty());
  CHECK(plan.missing == missing{{1, "/img/a"}});
}

TEST_CASE("a listed loop device that nothing is under is missing", "[donors]") {
  fake_host host;
  host.loop(3, "", false);
  host.index("/dev/loop3", false);
  CHECK(host.plan().missing == missing{{1, "/dev/loop3"}});
}

TEST_CASE("what was added by itself goes when it is gone for good",
          "[donors]") {
  fake_host host;
  const missing disk = {{1, "/img/a"}};
  host.index("/img/a", true, "file 8:2:11");
  SECTION("a file that was deleted") {
    host.no_file("/img/a");
    CHECK(host.plan().drop == disk);
  }
  SECTION("a file whose filesystem is not there, not yet") {
    host.no_file("/img/a", GENERATE(device_number{8, 22}, device_number{}));
    CHECK(host.plan().drop.empty());
    CHECK(host.plan().waiting == disk);
    host.view.long_gone = {1};
    CHECK(host.plan().drop == disk);
    CHECK(host.plan().waiting.empty());
  }
  SECTION("what cannot be reached, never") {
    host.view.paths["/img/a"].what = kind::unreachable;
    host.view.long_gone = {1};
    CHECK(host.plan().drop.empty());
    CHECK(host.plan().waiting == disk);
  }
  SECTION("what is there, never, though no guest has it") {
    host.file("/img/a", 11);
    host.view.long_gone = {1};
    host.view.guests.reset();
    CHECK(host.plan().drop.empty());
    CHECK(host.plan().hold == donors{{"/img/a", "", 1, true}});
  }
  CHECK(host.plan().missing.empty());
}

TEST_CASE("a device that was added by itself may come back", "[donors]") {
  fake_host host;
  host.index("/dev/vg0/web", true, "dm LVM-x");
  host.no_file("/dev/vg0/web", {0, 5});
  CHECK(host.plan().waiting == missing{{1, "/dev/vg0/web"}});
  host.view.long_gone = {1};
  CHECK(host.plan().drop == missing{{1, "/dev/vg0/web"}});
}

TEST_CASE("what was added by itself and is held under another name goes",
          "[donors]") {
  fake_host host;
  SECTION("an administrator listed the same disk") {
    host.file("/img/a", 11);
    host.loop(3, "/img/a");
    host.index("/img/a", true);
    host.index("/dev/loop3", false, "disk 7:3 seq 1");
    CHECK(host.plan().drop == missing{{1, "/img/a"}});
    CHECK(host.plan().hold == donors{{"/dev/loop3", "/dev/loop3", 2, false}});
  }
  SECTION("a loop device's number means another file now") {
    host.file("/img/a", 11);
    host.loop(3, "/img/a");
    host.index("/dev/loop3", true, "disk 7:3 seq 1");
    host.guest({7, 3}, "");
    CHECK(host.plan().drop == missing{{1, "/dev/loop3"}});
    CHECK(host.plan().hold == donors{{"/img/a", "/dev/loop3", 0, true, 1}});
  }
}

TEST_CASE("a disk that was renamed keeps what is known of it", "[donors]") {
  fake_host host;
  const bool by_itself = GENERATE(false, true);
  const std::string shadow = "/img/a.teleport-shadow";
  SECTION("a guest's file became a shadow") {
    host.no_file("/img/a");
    host.file(shadow, 11);
    host.view.images = {shadow};
    host.index("/img/a", by_itself, "file 8:2:11");
    CHECK(host.plan().rename ==
          std::vector<renamed_donor>{{1, "/img/a", shadow}});
    CHECK(host.plan().hold == donors{{shadow, "", 1, by_itself}});
  }
  SECTION("a shadow became a guest's disk") {
    host.no_file(shadow);
    host.file("/img/a", 11);
    host.loop(3, "/img/a");
    host.guest({7, 3}, "/img/a");
    host.index(shadow, by_itself, "file 8:2:11");
    CHECK(host.plan().rename ==
          std::vector<renamed_donor>{{1, shadow, "/img/a"}});
    CHECK(host.plan().hold ==
          donors{{"/img/a", "/dev/loop3", 1, by_itself, 1}});
  }
  SECTION("an image that somebody moved in a watched folder") {
    host.no_file("/img/a");
    host.file("/img/b", 11);
    host.view.images = {"/img/b"};
    host.index("/img/a", by_itself, "file 8:2:11");
    CHECK(host.plan().hold == donors{{"/img/b", "", 1, by_itself}});
  }
  SECTION("a volume, by either of its names") {
    const bool mapper = GENERATE(false, true);
    const std::string was = mapper ? "/dev/mapper/vg0-web" : "/dev/vg0/web";
    const std::string is = mapper ? "/dev/mapper/vg0-web.teleport--shadow"
                                  : "/dev/vg0/web.teleport-shadow";
    host.volume(2, is);
    host.view.devices[{253, 2}].uuid = "LVM-x";
    host.no_file(was, {0, 5});
    host.index(was, by_itself, "dm LVM-x");
    CHECK(host.plan().rename == std::vector<renamed_donor>{{1, was, is}});
    CHECK(host.plan().hold == donors{{is, "/dev/dm-2", 1, by_itself}});
  }
  CHECK(host.plan().drop.empty());
  CHECK(host.plan().missing.empty());
  CHECK(host.plan().waiting.empty());
}

TEST_CASE("another disk under a shadow's name is not taken for the same",
          "[donors]") {
  fake_host host;
  const std::string shadow = "/img/a.teleport-shadow";
  host.no_file("/img/a");
  host.file(shadow, 11);
  SECTION("another file") {
    host.index("/img/a", false, "file 8:2:12");
  }
  SECTION("one of another filesystem") {
    host.index("/img/a", false, "file 8:3:11");
  }
  SECTION("one of another size") {
    host.index("/img/a", false, "file 8:2:11");
    host.view.paths[shadow].size = 4096;
  }
  SECTION("one that is indexed itself") {
    host.index("/img/a", false, "file 8:2:11");
    host.index(shadow, true, "file 8:2:11");
  }
  SECTION("one that a teleport writes") {
    host.index("/img/a", false, "file 8:2:11");
    host.view.targets = {{shadow}};
  }
  SECTION("while it cannot be told what a teleport writes") {
    host.index("/img/a", false, "file 8:2:11");
    host.view.targets.reset();
  }
  SECTION("while the old name is out of reach") {
    host.index("/img/a", false, "file 8:2:11");
    host.view.paths["/img/a"].what = kind::unreachable;
  }
  CHECK(host.plan().rename.empty());
  CHECK(host.plan().missing == missing{{1, "/img/a"}});
}

TEST_CASE("a disk that a teleport writes is not added", "[donors]") {
  fake_host host;
  host.file("/img/new", 11);
  host.file("/img/done", 12);
  host.loop(3, "/img/new");
  host.loop(4, "/img/done");
  host.volume(2, "/dev/mapper/vg0-new");
  host.name("/dev/vg0/new", {253, 2});
  host.view.images = {"/img/done", "/img/new"};
  host.guest({7, 3}, "/dev/loop3");
  host.guest({253, 2}, "/dev/vg0/new");
  host.view.targets = {{"/img/new", "/dev/vg0/new", "/img/not-made-yet"}};
  const donors done = {{"/img/done", "/dev/loop4", 0, true}};
  CHECK(host.plan().hold == done);
  SECTION("not under its device's name either") {
    host.view.targets = {{"/dev/loop3", "/dev/mapper/vg0-new"}};
    CHECK(host.plan().hold == done);
  }
  SECTION("but stays when it is indexed: its blocks are proven anyway") {
    host.index("/img/new", GENERATE(false, true));
    CHECK(host.plan().hold.front().path == "/img/new");
    CHECK(host.plan().drop.empty());
  }
  SECTION("and nothing is while it cannot be told which they are") {
    host.view.targets.reset();
    CHECK(host.plan().hold.empty());
  }
}

TEST_CASE("a list that outlived its index is listed by hand", "[donors]") {
  fake_host host;
  host.file("/img/a", 11);
  host.file("/img/b", 12);
  host.loop(3, "/img/b");
  host.view.lost = {"/img/a", "/dev/loop3", "/img/gone"};
  host.view.images = {"/img/a"};
  host.index("/img/b", true);
  const donor_plan plan = host.plan();
  CHECK(plan.hold == donors{{"/img/a", "", 0, false},
                            {"/dev/loop3", "/dev/loop3", 0, false}});
  CHECK(plan.drop == missing{{1, "/img/b"}});
  CHECK(plan.missing == missing{{0, "/img/gone"}});
}

}  // namespace teleport
