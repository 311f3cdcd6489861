// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/known_disks.hpp"

#include <memory>
#include <utility>

#include "index/own_disk.hpp"
#include "libteleport/base/log.hpp"

namespace teleport {

known_content_factory known_by_index(const settings& config) {
  auto opened = index::store::open(config.index_path, index::store_options());
  if (!opened) {
    log_debug("the disks are read whole: " + opened.error().context);
    return {};
  }
  const std::shared_ptr<index::store> tables = std::move(*opened);
  return [tables](const guest_disk& disk) {
    return index::own_disk::open(tables, standing_folder, disk.device);
  };
}

}  // namespace teleport
