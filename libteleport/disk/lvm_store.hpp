// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/lvm_store.hpp: a store of LVM volumes, thick or thin. See
// disk_store.hpp.

#ifndef LIBTELEPORT_DISK_LVM_STORE_HPP
#define LIBTELEPORT_DISK_LVM_STORE_HPP

#include <memory>

#include "libteleport/disk/disk_store.hpp"

namespace teleport {

[[nodiscard]] result<std::unique_ptr<disk_store>> open_lvm_store(
    const store_config& config);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_LVM_STORE_HPP
