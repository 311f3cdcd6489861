// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/donor_test.cpp: which disks shall be indexed, on real devices.

#include <filesystem>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "test/support/root_devices.hpp"
#include "tools/teleportd/donor_set.hpp"

namespace teleport {

namespace {

running_disk disk_of_guest(const std::string& device, const std::string& name) {
  struct stat about {};
  REQUIRE(::stat(device.c_str(), &about) == 0);
  return {1, major(about.st_rdev), minor(about.st_rdev), name, true};
}

/// What is added for one guest with this disk.
std::vector<donor> added_for(const running_disk& disk) {
  donor_view view;
  view.guests = {{disk}};
  view.targets.emplace();
  resolve(view);
  return choose_donors(view).hold;
}

}  // namespace

TEST_CASE("a guest's file is found under its loop device", "[root]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk loop("2");
  const running_disk disk = disk_of_guest(loop.path(), loop.path());
  const std::string file = std::filesystem::canonical(loop.file());
  CHECK(added_for(disk) ==
        std::vector<donor>{{file, loop.path(), 0, true, disk.domid}});
  std::filesystem::remove(loop.file());
  CHECK(added_for(disk) ==
        std::vector<donor>{{loop.path(), loop.path(), 0, true, disk.domid}});
}

TEST_CASE("a listed file is tracked by the loop device over it", "[root]") {
  if (!can_use_loop_devices()) {
    return;
  }
  std::string device;
  donor_view view;
  view.indexed.resize(1);
  {
    const loop_disk loop("2");
    view.indexed[0].path = loop.file();
    device = loop.path();
    resolve(view);
    CHECK(choose_donors(view).hold ==
          std::vector<donor>{{loop.file(), loop.path(), 0, false}});
  }
  // The device stays, with nothing under it.
  donor_view after;
  after.indexed.resize(1);
  after.indexed[0].path = device;
  resolve(after);
  CHECK(choose_donors(after).missing.size() == 1);
}

TEST_CASE("a guest's volume is found under its name", "[root]") {
  if (!can_use_device_mapper("linear")) {
    return;
  }
  const loop_disk loop("2");
  const mapped_disk volume("donor", "0 4096 linear " + loop.path() + " 0\n");
  const std::string node = std::filesystem::canonical(volume.path());
  for (const std::string& name :
       {volume.path(), node, std::string("/dev/vg0/none")}) {
    CHECK(added_for(disk_of_guest(volume.path(), name)) ==
          std::vector<donor>{{volume.path(), node, 0, true, 1}});
  }
}

}  // namespace teleport
