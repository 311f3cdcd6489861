// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/coverage.hpp: the one question on which unread content is told: is
// every write to the disk since a record's digests were read in this tracker's
// marks? FORMAT.md, section 7.
//
// Threads: any. Blocks: no.

#ifndef INDEX_COVERAGE_HPP
#define INDEX_COVERAGE_HPP

#include "index/format.hpp"
#include "libteleport/base/unique_id.hpp"
#include "libteleport/disk/standing_tracker.hpp"

namespace teleport::index {

/// @param index   the instance of the database that holds the record
/// @return false when the disk has to be scanned under this tracker first
[[nodiscard]] bool covers(const standing_tracker& tracker,
                          const unique_id& index,
                          const disk_record& record);

}  // namespace teleport::index

#endif  // INDEX_COVERAGE_HPP
