// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/units.hpp: the sizes everything is counted in.
//
// A block is the unit of hashing and matching, an extent the unit of
// announcing, verifying and scheduling.

#ifndef LIBTELEPORT_BASE_UNITS_HPP
#define LIBTELEPORT_BASE_UNITS_HPP

#include <cstddef>
#include <cstdint>

namespace teleport {

inline constexpr std::size_t operator""_KiB(unsigned long long n) {
  return n << 10U;
}
inline constexpr std::size_t operator""_MiB(unsigned long long n) {
  return n << 20U;
}
inline constexpr std::uint64_t operator""_GiB(unsigned long long n) {
  return n << 30U;
}

/// Bytes of a block, aligned on the disk. Equal to a page of the guest, so that
/// page cache and disk can match.
inline constexpr std::size_t block_bytes = 4_KiB;

/// Blocks of an extent.
inline constexpr std::size_t extent_blocks = 256;

/// Bytes of an extent: 1 MiB. The last extent of a disk may be shorter.
inline constexpr std::size_t extent_bytes = block_bytes * extent_blocks;

/// Bytes of a sector as the kernel counts them, whatever the device's own size.
inline constexpr std::size_t sector_bytes = 512;

/// Largest disk accepted, in bytes: 64 TiB, the largest vbd size that xl's own
/// tools are used with. Keeps every product of indices far from overflow.
inline constexpr std::uint64_t max_disk_bytes = std::uint64_t{64} << 40U;

/// Disks of one guest that are moved: what xl's vdev names can number without
/// extension.
inline constexpr std::size_t max_disks = 64;

/// How many `unit`s are needed to hold `bytes`, the last one perhaps partly.
[[nodiscard]] inline constexpr std::uint64_t count_of(std::uint64_t bytes,
                                                      std::uint64_t unit) {
  return bytes / unit + (bytes % unit != 0 ? 1 : 0);
}

/// Extents of a disk of `disk_bytes`.
[[nodiscard]] inline constexpr std::uint64_t extents_of(
    std::uint64_t disk_bytes) {
  return count_of(disk_bytes, extent_bytes);
}

/// Bytes of extent `index` of a disk of `disk_bytes`: 1 MiB but for the last.
/// @pre index < extents_of(disk_bytes)
[[nodiscard]] inline constexpr std::size_t extent_length(
    std::uint64_t disk_bytes, std::uint64_t index) {
  const std::uint64_t left = disk_bytes - index * extent_bytes;
  return left < extent_bytes ? static_cast<std::size_t>(left) : extent_bytes;
}

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_UNITS_HPP
