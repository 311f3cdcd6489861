// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/xen/disk_users.hpp"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <utility>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "libteleport/disk/block_sysfs.hpp"

namespace teleport {

namespace {

void add_once(std::vector<std::uint32_t>& domids, std::uint32_t domid) {
  if (std::ranges::find(domids, domid) == domids.end()) {
    domids.push_back(domid);
  }
}

}  // namespace

std::string path_of_device(unsigned major, unsigned minor) {
  std::ifstream uevent(block_folder(numbers_of(makedev(major, minor))) +
                       "/uevent");
  constexpr std::string_view key = "DEVNAME=";
  for (std::string line; std::getline(uevent, line);) {
    if (!line.starts_with(key)) {
      continue;
    }
    std::string path = "/dev/" + line.substr(key.size());
    struct stat found {};
    if (::stat(path.c_str(), &found) == 0 && S_ISBLK(found.st_mode) &&
        found.st_rdev == makedev(major, minor)) {
      return path;
    }
  }
  return {};
}

result<disk_users> disk_users::look() {
  auto held = held_guest_disks();
  if (!held) {
    return held.error().code == errc::not_found
               ? result<disk_users>(disk_users())
               : result<disk_users>(held.error());
  }
  std::vector<use> uses;
  for (const running_disk& disk : held->disks) {
    use one;
    one.disk = disk;
    const std::string path = path_of_device(disk.major, disk.minor);
    if (!path.empty()) {
      if (auto identity = identify_disk(path)) {
        one.identity = std::move(*identity);
      }
    }
    uses.push_back(std::move(one));
  }
  return disk_users(std::move(uses), std::move(held->guests));
}

guest_seen disk_users::user(std::uint32_t domid) const {
  const auto guest = std::ranges::find(guests_, domid, &guest_seen::domid);
  return guest == guests_.end()
             ? guest_seen{domid, "", guest_state::dying, "", 0}
             : *guest;
}

std::vector<std::uint32_t> disk_users::of(const disk_identity& identity) const {
  std::vector<std::uint32_t> domids;
  for (const use& one : uses_) {
    if (one.identity == identity) {
      add_once(domids, one.disk.domid);
    }
  }
  return domids;
}

std::vector<std::uint32_t> disk_users::of(const std::string& path) const {
  std::vector<std::uint32_t> domids;
  if (const auto identity = identify_disk(path)) {
    domids = of(*identity);
  }
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && S_ISBLK(about.st_mode)) {
    for (const use& one : uses_) {
      if (one.disk.major == major(about.st_rdev) &&
          one.disk.minor == minor(about.st_rdev)) {
        add_once(domids, one.disk.domid);
      }
    }
  }
  return domids;
}

}  // namespace teleport
