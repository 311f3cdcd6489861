// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/refresh.hpp: brings some extents of a scanned disk up to date.
//
// Threads: one caller for a disk, which holds nothing of it locked.
// Blocks: on reading the extents and on the index's fdatasync.
// Trust: as scanner.hpp.

#ifndef INDEX_REFRESH_HPP
#define INDEX_REFRESH_HPP

#include <atomic>
#include <cstdint>
#include <span>

#include "index/store.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_id.hpp"
#include "libteleport/disk/block_device.hpp"

namespace teleport::index {

struct refresh_options {
  /// The tracker under which the disk was scanned: a record of another is not
  /// touched.
  unique_id tracker;
  /// Bytes read a second; 0: no limit.
  std::uint64_t bytes_per_second = 0;
  const std::atomic<bool>* cancel = nullptr;
};

struct refresh_report {
  disk_record disk;  ///< as it is in the index now, on stable storage
  std::uint64_t read_bytes = 0;
  std::uint64_t changed_groups = 0;
  std::uint64_t unreadable_extents = 0;
};

/// Reads the extents and writes what changed; then all of it is on stable
/// storage. What one call is given is held in memory until it is written: some
/// 3 KiB an extent.
///
/// @param extents  ascending
/// @param device   the disk, as large as its record says
/// @error errc::busy when the disk is being scanned; errc::not_found when it
/// was removed, errc::mismatch when it has to be scanned; errc::cancelled
[[nodiscard]] result<refresh_report> refresh_extents(
    store& tables,
    std::uint32_t disk,
    block_device& device,
    std::span<const std::uint64_t> extents,
    const refresh_options& options);

}  // namespace teleport::index

#endif  // INDEX_REFRESH_HPP
