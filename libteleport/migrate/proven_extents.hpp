// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/proven_extents.hpp: which extents of which disks are
// proven, and whether all are. The bits and their count change together.
//
// Threads: one owner. Memory: a bit an extent, 1.25 MiB for 10 TiB.

#ifndef LIBTELEPORT_MIGRATE_PROVEN_EXTENTS_HPP
#define LIBTELEPORT_MIGRATE_PROVEN_EXTENTS_HPP

#include <cassert>
#include <cstdint>
#include <vector>

#include "libteleport/wire/record.hpp"

namespace teleport {

class proven_extents {
 public:
  /// No extent is proven.
  /// @param disk_bytes  sizes in the OFFER's order, at most max_disks
  explicit proven_extents(const std::vector<std::uint64_t>& disk_bytes);

  /// The place is on a disk; all that follows wants such a one.
  [[nodiscard]] bool inside(const extent_place& place) const noexcept;
  [[nodiscard]] bool has(const extent_place& place) const {
    return disks_[place.disk][place.extent];
  }
  /// @pre !has(place)
  void add(const extent_place& place) {
    assert(!has(place));
    disks_[place.disk][place.extent] = true;
    --missing_;
  }
  /// @pre has(place)
  void remove(const extent_place& place) {
    assert(has(place));
    disks_[place.disk][place.extent] = false;
    ++missing_;
  }
  [[nodiscard]] bool all() const noexcept { return missing_ == 0; }

 private:
  std::vector<std::vector<bool>> disks_;
  std::uint64_t missing_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_PROVEN_EXTENTS_HPP
