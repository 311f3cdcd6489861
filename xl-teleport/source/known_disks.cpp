// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/known_disks.hpp"

#include <memory>
#include <string>
#include <utility>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "index/own_disk.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/xen/running_disks.hpp"

namespace teleport {

namespace {

/// @return the only domain that has the device now, as xenstore tells; 0: none,
///         several, or it cannot be told
std::uint32_t guest_of(const std::string& device) {
  struct stat about {};
  if (::stat(device.c_str(), &about) != 0) {
    return 0;
  }
  const auto disks = running_guest_disks();
  if (!disks) {
    log_debug(device + ": its guest cannot be told: " + disks.error().context);
    return 0;
  }
  return only_guest_of(*disks, major(about.st_rdev), minor(about.st_rdev));
}

}  // namespace

known_content_factory known_by_index(const settings& config) {
  auto opened = index::store::open(config.index_path, index::store_options());
  if (!opened) {
    log_debug("the disks are read whole: " + opened.error().context);
    return {};
  }
  const std::shared_ptr<index::store> tables = std::move(*opened);
  return [tables](const guest_disk& disk) {
    return index::own_disk::open(
        tables, standing_folder, disk.device, guest_of(disk.device));
  };
}

}  // namespace teleport
