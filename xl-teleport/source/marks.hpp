// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/marks.hpp: takes a disk's marks between its passes, and
// the last ones once the guest is suspended, with the proof that none is
// missing.
//
// Blocks: take_last() until the writes in flight have ended, some milliseconds;
//         call on a pool thread.

#ifndef XL_TELEPORT_SOURCE_MARKS_HPP
#define XL_TELEPORT_SOURCE_MARKS_HPP

#include "libteleport/base/error.hpp"
#include "libteleport/disk/dirty_map.hpp"
#include "libteleport/disk/dirty_tracker.hpp"
#include "libteleport/migrate/known_content.hpp"

namespace teleport {

/// Adds to `dirty` what was written since the last take, and what was told of
/// the disk without reading it, if that is doubted now.
///
/// @param known  may be null
result<void> take_marks(write_tracker& tracker,
                        known_content* known,
                        dirty_map& dirty);

/// The same for a suspended guest: waits until its last writes are on the disk,
/// takes them, and lets the tracker prove that no write has escaped it. What
/// is known of the disk is proven last, or read after all.
///
/// @param known  may be null
/// @error before GO every one fails the teleport
result<void> take_last_marks(write_tracker& tracker,
                             known_content* known,
                             dirty_map& dirty);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_MARKS_HPP
