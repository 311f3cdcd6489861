// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/coverage.hpp: the one question on which unread content is told: is
// every write to the disk since a record's digests were read in this tracker's
// marks? FORMAT.md, section 7.
//
// Threads: any. Blocks: no.

#ifndef INDEX_COVERAGE_HPP
#define INDEX_COVERAGE_HPP

#include <cstdint>

#include "index/format.hpp"
#include "libteleport/base/unique_id.hpp"
#include "libteleport/disk/standing_tracker.hpp"

namespace teleport::index {

/// What a tracker says of itself.
struct coverage {
  unique_id life;
  unique_id index;  ///< that its marks are served into
  std::uint64_t served_epoch = 0;
  std::uint64_t disk_bytes = 0;
};
[[nodiscard]] coverage coverage_of(const standing_tracker& tracker);

/// @param index   the instance of the database that holds the record
/// @return false when the disk has to be scanned under this tracker first
[[nodiscard]] bool covers(const coverage& tracker,
                          const unique_id& index,
                          const disk_record& record);
[[nodiscard]] inline bool covers(const standing_tracker& tracker,
                                 const unique_id& index,
                                 const disk_record& record) {
  return covers(coverage_of(tracker), index, record);
}

}  // namespace teleport::index

#endif  // INDEX_COVERAGE_HPP
