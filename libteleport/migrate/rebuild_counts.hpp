// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/rebuild_counts.hpp: what a destination counts while it
// rebuilds disks, and tells the source at the end.

#ifndef LIBTELEPORT_MIGRATE_REBUILD_COUNTS_HPP
#define LIBTELEPORT_MIGRATE_REBUILD_COUNTS_HPP

#include <cstdint>

namespace teleport {

/// Where the bytes of proven extents came from, in bytes of the disk.
struct rebuild_counts {
  std::uint64_t zero = 0;
  std::uint64_t in_place = 0;
  std::uint64_t donors = 0;
  std::uint64_t link = 0;
  std::uint64_t mismatches = 0;  ///< extents whose proof failed once

  rebuild_counts& operator+=(const rebuild_counts& more) noexcept {
    zero += more.zero;
    in_place += more.in_place;
    donors += more.donors;
    link += more.link;
    mismatches += more.mismatches;
    return *this;
  }
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_REBUILD_COUNTS_HPP
