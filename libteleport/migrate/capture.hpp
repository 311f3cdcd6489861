// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/capture.hpp: the source's work on extents: read one or
// recall it, digest it, and make the records that carry it.
//
// An extent is captured, or recalled from what is known of it, once and kept
// until its data has been sent, so that everything said of it is said of the
// same moment, whatever the guest writes meanwhile (the tracker has marked
// that). Of a recalled extent, or one whose bytes there was no room to keep,
// the wanted blocks are read later: if the guest has written to them, the
// extent's proof fails and it is captured anew.
//
// Threads: pure but for capture() and read_blocks(), which read the disk: pool
//          threads.

#ifndef LIBTELEPORT_MIGRATE_CAPTURE_HPP
#define LIBTELEPORT_MIGRATE_CAPTURE_HPP

#include <cstdint>
#include <optional>
#include <vector>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/block_mask.hpp"
#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/disk/block_device.hpp"
#include "libteleport/migrate/known_content.hpp"
#include "libteleport/wire/record.hpp"

namespace teleport {

/// One extent as it was at one moment.
struct captured_extent {
  extent_place place;
  extent_digest digest{};
  bool zero = false;       ///< all zeros: `bytes` is empty then
  std::size_t length = 0;  ///< bytes of the extent
  aligned_buffer bytes;    ///< empty also when it was recalled or forgotten
  // Only for an extent without bytes; as in known_extent.
  block_mask zero_blocks;
  std::vector<block_digest> blocks;
};

/// Reads and digests an extent.
/// @blocks on the disk
[[nodiscard]] result<captured_extent> capture(block_device& disk,
                                              const extent_place& place);

/// What is known of an extent, without its bytes.
///
/// @return nullopt when it does not fit an extent of this disk
[[nodiscard]] std::optional<captured_extent> recall(std::uint64_t disk_bytes,
                                                    const extent_place& place,
                                                    known_extent known);

/// A recalled extent with the bytes of the chosen blocks, as they are now.
///
/// @param chosen  blocks past the extent's end are ignored
/// @blocks on the disk
[[nodiscard]] result<captured_extent> read_blocks(
    block_device& disk,
    const captured_extent& recalled,
    const block_mask& chosen);

/// The digests of its blocks, zero blocks in the mask alone.
[[nodiscard]] block_digests_record digests_of(const captured_extent& extent);

/// The bytes of the chosen blocks; zero ones in the mask alone.
///
/// @pre  the chosen blocks' bytes are there
/// @param chosen  blocks past the extent's end are ignored
[[nodiscard]] block_data data_of(const captured_extent& extent,
                                 const block_mask& chosen);

/// Frees the extent's bytes, which leaves it as recall() makes one.
void forget_bytes(captured_extent& extent);

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_CAPTURE_HPP
