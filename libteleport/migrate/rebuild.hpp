// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/rebuild.hpp: the destination's work on extents: look for
// what is already here, put it together, prove it, write it.
//
// Order for one extent: examine(); where that does not prove it, assemble()
// with the blocks' digests; where gaps are left, fill() with their bytes. In a
// round, overlay() alone. Nothing is written to the target before the whole
// extent's SHA-256 is right: the index and the donors are hints.
//
// Threads: functions on distinct extents may run at once. Blocks: on disks.
// Trust:   records come from the peer; sizes are checked against the target.

#ifndef LIBTELEPORT_MIGRATE_REBUILD_HPP
#define LIBTELEPORT_MIGRATE_REBUILD_HPP

#include <cstdint>
#include <optional>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/block_mask.hpp"
#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/disk/before_images.hpp"
#include "libteleport/disk/block_device.hpp"
#include "libteleport/migrate/content_lookup.hpp"
#include "libteleport/migrate/possession_probe.hpp"
#include "libteleport/migrate/rebuild_counts.hpp"
#include "libteleport/wire/record.hpp"

namespace teleport {

/// A disk being rebuilt.
struct target_disk {
  block_device* device = nullptr;
  /// Made for this teleport, so that what was never written reads as zeros.
  bool blank = false;
  /// Before-images of what is overwritten, which serve as a donor; nullptr:
  /// none.
  before_images* before = nullptr;
};

/// An extent that is being put together.
struct extent_work {
  extent_place place;
  extent_digest digest{};
  std::size_t length = 0;  ///< bytes of the extent
  aligned_buffer bytes;    ///< what it will be; empty while nothing is in it
  block_mask have;         ///< blocks of `bytes` that are filled
  block_mask in_place;     ///< blocks of `have` that the target holds already
  /// As the source named them; none before, and none once they proved all.
  std::optional<block_digests_record> digests;
  /// `bytes` were not kept: they are put together from `digests` again.
  bool is_dropped = false;
  rebuild_counts counts;
  std::uint64_t named = 0;   ///< blocks of which a digest was named
  std::uint64_t untrue = 0;  ///< those of them that came as something else
};

/// How a step ended.
enum class step_result {
  proven,         ///< on the target; `counts` tell from where
  wants_digests,  ///< after examine()
  has_gaps,       ///< after assemble(): blocks not in `have` are wanted
  mismatch,       ///< after assemble() or fill(): everything is wanted; no
                  ///< bytes are kept
};

/// Looks whether the whole extent is zeros or in place. Donors are not looked
/// at: a digest alone is to yield nothing of theirs.
///
/// @param digest  nullopt for an extent of zeros
[[nodiscard]] result<step_result> examine(
    const target_disk& target,
    const std::optional<extent_digest>& digest,
    extent_work& work);

/// How assemble() goes about an extent.
struct assembly {
  explicit assembly(const possession_probe& by, bool keep = true)
      : probe(by), keep_bytes(keep) {}

  possession_probe probe;  ///< which blocks of donors are gaps nevertheless
  /// There is room for the bytes while gaps are on their way; else fill() puts
  /// them together again.
  bool keep_bytes;
};

/// Puts together what the digests find in place and in donors.
[[nodiscard]] result<step_result> assemble(const target_disk& target,
                                           content_lookup& lookup,
                                           block_digests_record record,
                                           const assembly& how,
                                           extent_work& work);

/// Adds the gaps' bytes.
///
/// @param data  as block_unpacker gave it
/// @error errc::protocol when the record does not bring what is missing, or
///        all of it and the proof fails again: asking once more cannot help
[[nodiscard]] result<step_result> fill(const target_disk& target,
                                       content_lookup& lookup,
                                       const block_data& data,
                                       extent_work& work);

/// Applies the blocks written since the extent was last proven.
[[nodiscard]] result<step_result> overlay(const target_disk& target,
                                          const block_data& data,
                                          extent_work& work);

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_REBUILD_HPP
