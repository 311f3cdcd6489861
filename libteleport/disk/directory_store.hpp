// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/directory_store.hpp: a store of sparse files, each behind a
// loop device. See disk_store.hpp.

#ifndef LIBTELEPORT_DISK_DIRECTORY_STORE_HPP
#define LIBTELEPORT_DISK_DIRECTORY_STORE_HPP

#include <memory>

#include "libteleport/disk/disk_store.hpp"

namespace teleport {

[[nodiscard]] result<std::unique_ptr<disk_store>> open_directory_store(
    const store_config& config);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DIRECTORY_STORE_HPP
