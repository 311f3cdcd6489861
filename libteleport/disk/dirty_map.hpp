// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/dirty_map.hpp: which parts of a disk must be sent (again).
//
// One bit per grain, a power of two of bytes from 4 KiB on: 4 KiB for small
// disks, coarser for large ones, so that the map of any disk stays small.
//
// Threads: a plain value; one owner.

#ifndef LIBTELEPORT_DISK_DIRTY_MAP_HPP
#define LIBTELEPORT_DISK_DIRTY_MAP_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "libteleport/base/block_mask.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

class dirty_map {
 public:
  dirty_map() = default;
  /// @param disk_bytes  size of the disk
  /// @param grain       bytes a bit, a power of two from 4096 to extent_bytes
  dirty_map(std::uint64_t disk_bytes, std::size_t grain);

  /// Marks every grain that the range touches; clipped to the disk.
  void mark(std::uint64_t offset, std::uint64_t length);
  /// Adds another map of the same disk and grain.
  void merge(const dirty_map& other);

  [[nodiscard]] bool empty() const noexcept;
  /// Bytes marked, clipped to the disk's end.
  [[nodiscard]] std::uint64_t bytes() const noexcept;
  [[nodiscard]] std::size_t grain() const noexcept { return grain_; }
  [[nodiscard]] std::uint64_t disk_bytes() const noexcept { return disk_; }

  /// The first marked extent from `from` on.
  [[nodiscard]] std::optional<std::uint64_t> next_extent(
      std::uint64_t from) const noexcept;
  /// Extents with at least one mark.
  [[nodiscard]] std::uint64_t extents() const noexcept;

  /// Clears and returns the marks of one extent, as a mask of its blocks.
  block_mask take_extent(std::uint64_t extent);

  /// The bits themselves: grain 0 is bit 0 of word 0.
  [[nodiscard]] std::span<std::uint64_t> words() noexcept { return words_; }

 private:
  std::uint64_t disk_ = 0;
  std::size_t grain_ = block_bytes;
  std::vector<std::uint64_t> words_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_DIRTY_MAP_HPP
