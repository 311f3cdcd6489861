// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/content_lookup.hpp: "do you hold this content, and
// where?" The library owns this interface; index/ implements it over LMDB.
//
// Every answer is a hint: donors are live disks. What read_donor() returns must
// be proven by the extent's SHA-256 before it counts.
//
// Threads: all calls from any number of pool threads at once.
// Blocks: every call may wait for a disk.

#ifndef LIBTELEPORT_MIGRATE_CONTENT_LOOKUP_HPP
#define LIBTELEPORT_MIGRATE_CONTENT_LOOKUP_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libteleport/base/digest.hpp"
#include "libteleport/base/error.hpp"

namespace teleport {

/// A donor disk, by the index's own number for it.
using donor_id = std::uint32_t;

/// `count` wanted blocks from `first` on lie one after the other in a donor.
struct donor_run {
  std::size_t first = 0;  ///< place in the list of wanted digests
  std::size_t count = 0;
  donor_id donor = 0;
  std::uint64_t offset = 0;  ///< bytes from the donor's start, 4096-aligned
};

/// Where a whole extent lies.
struct donor_extent {
  donor_id donor = 0;
  std::uint64_t offset = 0;  ///< bytes, a multiple of extent_bytes
};

class content_lookup {
 public:
  content_lookup() = default;
  content_lookup(const content_lookup&) = delete;
  content_lookup& operator=(const content_lookup&) = delete;
  content_lookup(content_lookup&&) = delete;
  content_lookup& operator=(content_lookup&&) = delete;
  virtual ~content_lookup() = default;

  /// Finds donors for blocks.
  ///
  /// @param wanted  digests in disk order; callers leave zero blocks out
  /// @return runs in ascending `first`, not overlapping; what is in no run is
  ///         a gap. A damaged or absent index answers with no runs.
  [[nodiscard]] virtual std::vector<donor_run> find_blocks(
      std::span<const block_digest> wanted) = 0;

  /// Finds a donor for a whole extent of extent_bytes.
  [[nodiscard]] virtual std::optional<donor_extent> find_extent(
      const extent_digest& wanted) = 0;

  /// Reads a donor as it is now, past the page cache (blkback writes there).
  ///
  /// @error errc::not_found when the donor is gone or shorter
  virtual result<void> read_donor(donor_id donor,
                                  std::uint64_t offset,
                                  std::span<std::byte> out) = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_CONTENT_LOOKUP_HPP
