// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/proven_extents.hpp"

#include "libteleport/base/units.hpp"

namespace teleport {

proven_extents::proven_extents(const std::vector<std::uint64_t>& disk_bytes) {
  assert(disk_bytes.size() <= max_disks);
  for (const std::uint64_t bytes : disk_bytes) {
    disks_.emplace_back(static_cast<std::size_t>(extents_of(bytes)));
    missing_ += extents_of(bytes);
  }
}

bool proven_extents::inside(const extent_place& place) const noexcept {
  return place.disk < disks_.size() && place.extent < disks_[place.disk].size();
}

}  // namespace teleport
