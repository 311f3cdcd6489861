// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/known_content.hpp: "what does this disk hold?" answered
// without reading it. The library owns this interface; whoever follows a disk's
// writes from a scan on implements it.
//
// Use: made after the start barrier of the disk's tracker; find() during the
// bulk; check() between rounds; audit() once the guest is suspended. What was
// told and is doubted then is read like any other block: it costs bytes, and no
// teleport fails for it.
//
// Threads: any, at once.
// Blocks:  every call may wait for the index.
// Trust:   what find() tells is announced to the destination, which may prove
//          its target by it without the source's disk ever being read. Unlike
//          content_lookup's, these answers are no hints: audit() proves them.

#ifndef LIBTELEPORT_MIGRATE_KNOWN_CONTENT_HPP
#define LIBTELEPORT_MIGRATE_KNOWN_CONTENT_HPP

#include <cstdint>
#include <optional>
#include <vector>

#include "libteleport/base/block_mask.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/disk/dirty_map.hpp"

namespace teleport {

/// What an extent held at some moment, all of it at the same. Whatever was
/// written to it later was written after the disk's tracker began.
struct known_extent {
  extent_digest digest{};  ///< of as many bytes as there are; unset for zeros
  bool zero = false;       ///< all zeros: nothing else is set then
  block_mask zero_blocks;
  std::vector<block_digest> blocks;  ///< of the other blocks, in disk order
};

class known_content {
 public:
  known_content() = default;
  known_content(const known_content&) = delete;
  known_content& operator=(const known_content&) = delete;
  known_content(known_content&&) = delete;
  known_content& operator=(known_content&&) = delete;
  virtual ~known_content() = default;

  /// @param extent  on the disk
  /// @return nullopt when the disk must be read
  [[nodiscard]] virtual std::optional<known_extent> find(
      std::uint64_t extent) = 0;

  /// Checks what can be checked while the guest runs.
  ///
  /// @error what find() has told cannot be relied on: mark_told() and read it.
  ///        From then on find() tells nothing.
  [[nodiscard]] virtual result<void> check() = 0;

  /// Checks that no write has escaped both this, while it followed the disk,
  /// and the teleport's own tracker, which has been audited just before. The
  /// guest is suspended, and no write is in flight: this is part of the
  /// downtime.
  ///
  /// @error as check()
  [[nodiscard]] virtual result<void> audit() = 0;

  /// Marks every extent that find() has told, and forgets that it was told.
  virtual void mark_told(dirty_map& dirty) = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_KNOWN_CONTENT_HPP
