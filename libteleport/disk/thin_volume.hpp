// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/thin_volume.hpp: which parts of a thin volume are
// provisioned? All else reads as zeros and need not be read.
//
// The pool's metadata is read by thin_dump from a metadata snapshot, which the
// kernel keeps for one user at a time. It is reserved and released by a shell,
// which ends only after it has released, whoever is killed around it. When
// another holds it, or anything else is not as it should be, it is an error,
// and the caller reads all of the disk.
//
// What is told holds for the moment of the snapshot: a chunk that a guest's
// first write provisions later is a write like any other, to be seen by a
// tracker that was attached before this was asked.
//
// Threads: any. Blocks: for as long as thin_dump takes: seconds, for some TiB
// in small pieces minutes.

#ifndef LIBTELEPORT_DISK_THIN_VOLUME_HPP
#define LIBTELEPORT_DISK_THIN_VOLUME_HPP

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/dirty_map.hpp"

namespace teleport {

/// A line of `dmsetup table`, of a volume.
struct thin_table {
  std::string pool;  ///< "MAJOR:MINOR"
  std::uint32_t id = 0;
};
/// @return none when it is anything else than one thin volume without an
///         external origin, of which unprovisioned parts would be read
[[nodiscard]] std::optional<thin_table> parse_thin_table(std::string_view text);

/// The same of a pool.
/// @return its metadata's device, "MAJOR:MINOR"
[[nodiscard]] std::optional<std::string> parse_pool_table(
    std::string_view text);

/// A volume, and where its pool keeps what it knows.
struct thin_place {
  std::string pool;      ///< as the device mapper names it
  std::string metadata;  ///< a path
  std::uint32_t id = 0;
};

/// @error errc::busy when the pool's snapshot cannot be had; as
///        thin_dump_reader's; errc::cancelled. Whatever it is, the snapshot is
///        released.
[[nodiscard]] result<dirty_map> dump_parts(const thin_place& place,
                                           std::uint64_t disk_bytes,
                                           const std::atomic<bool>* cancel);

/// @param path        of a disk
/// @param disk_bytes  its size
/// @param cancel      true gives up
/// @return marks on the extents that may hold data; none when it is no thin
///         volume
/// @error it is one, and it cannot be told; errc::cancelled
[[nodiscard]] result<std::optional<dirty_map>> provisioned_parts(
    const std::string& path,
    std::uint64_t disk_bytes,
    const std::atomic<bool>* cancel);

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_THIN_VOLUME_HPP
