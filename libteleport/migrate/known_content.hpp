// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/known_content.hpp: "what does this disk hold?" answered
// without reading it. The library owns this interface; whoever follows a disk's
// writes from a scan on implements it.
//
// Use: made after the start barrier of the disk's tracker; find() during the
// bulk; audit() once the guest is suspended.
//
// Threads: find() from any number of pool threads at once; audit() has one
//          caller.
// Blocks:  every call may wait for the index.
// Trust:   what find() tells is announced to the destination, which may prove
//          its target by it without the source's disk ever being read. Unlike
//          content_lookup's, these answers are no hints: audit() vouches.

#ifndef LIBTELEPORT_MIGRATE_KNOWN_CONTENT_HPP
#define LIBTELEPORT_MIGRATE_KNOWN_CONTENT_HPP

#include <cstdint>
#include <optional>
#include <vector>

#include "libteleport/base/block_mask.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/error.hpp"

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

  /// Checks that no write has escaped both this, while it followed the disk,
  /// and the teleport's own tracker, which has been audited just before. The
  /// guest is suspended, and no write is in flight: this is part of the
  /// downtime.
  ///
  /// @error find()'s answers may be wrong: the teleport must fail
  [[nodiscard]] virtual result<void> audit() = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_KNOWN_CONTENT_HPP
