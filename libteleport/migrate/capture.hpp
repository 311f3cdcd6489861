// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/capture.hpp: the source's work on extents: read one,
// digest it, and make the records that carry it.
//
// An extent is captured once and kept until the destination has proven it, so
// that everything said of it is said of the same bytes, whatever the guest
// writes meanwhile (the tracker has marked that).
//
// Threads: pure but for capture(), which reads the disk: pool threads.

#ifndef LIBTELEPORT_MIGRATE_CAPTURE_HPP
#define LIBTELEPORT_MIGRATE_CAPTURE_HPP

#include <optional>

#include "libteleport/base/block_mask.hpp"
#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/disk/block_device.hpp"
#include "libteleport/wire/record.hpp"

namespace teleport {

/// One extent as it was at one moment.
struct captured_extent {
  extent_place place;
  extent_digest digest{};
  bool zero = false;       ///< all zeros: `bytes` is empty then
  std::size_t length = 0;  ///< bytes of the extent
  aligned_buffer bytes;
};

/// Reads and digests an extent.
/// @blocks on the disk
[[nodiscard]] result<captured_extent> capture(block_device& disk,
                                              const extent_place& place);

/// The digests of its blocks, zero blocks in the mask alone.
[[nodiscard]] block_digests_record digests_of(const captured_extent& extent);

/// The bytes of the chosen blocks, compressed; zero ones in the mask alone.
///
/// @param chosen  blocks past the extent's end are ignored
[[nodiscard]] extent_data_record data_of(const captured_extent& extent,
                                         const block_mask& chosen,
                                         int level);

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_CAPTURE_HPP
