// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/start_disks.hpp"

#include <algorithm>
#include <filesystem>

#include <sys/stat.h>

namespace teleport {

std::string stable_path(const std::string& device,
                        const std::vector<std::string>& folders) {
  struct stat wanted {};
  if (::stat(device.c_str(), &wanted) != 0 || !S_ISBLK(wanted.st_mode)) {
    return device;
  }
  for (const std::string& folder : folders) {
    std::vector<std::string> links;
    std::error_code ignored;
    for (const auto& entry :
         std::filesystem::directory_iterator(folder, ignored)) {
      struct stat about {};
      if (::stat(entry.path().c_str(), &about) == 0 &&
          about.st_rdev == wanted.st_rdev) {
        links.push_back(entry.path());
      }
    }
    if (!links.empty()) {
      return *std::ranges::min_element(links);
    }
  }
  return device;
}

std::vector<start_disk> start_disks_of(const guest_info& guest,
                                       const std::vector<kept_disk>& kept,
                                       bool files) {
  std::vector<start_disk> disks;
  for (const guest_disk& disk : guest.disks) {
    start_disk one;
    one.vdev = disk.vdev;
    one.read_only = disk.read_only;
    one.is_cdrom = disk.is_cdrom;
    const auto place = std::ranges::find(kept, disk.vdev, &kept_disk::vdev);
    if (place != kept.end() && place->shadow) {
      one.is_file = entry_of(place->shadow->kind).is_file;
      one.path = entry_of(place->shadow->kind).is_named_by_kernel
                     ? stable_path(place->shadow->backing)
                     : place->shadow->backing;
    } else if (place != kept.end()) {
      one.is_file = files;
      one.path = place->partial;
    }
    disks.push_back(std::move(one));
  }
  return disks;
}

}  // namespace teleport
