// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/bulk_order.hpp: in which order a bulk announces the
// extents of all disks.
//
// Not from the first to the last: a disk has its data in one part, its zeros in
// another, what the destination has in a third. Taken one after the other, the
// link idles while both disks are read, and the disks idle while gaps cross the
// link. So the disks are cut into sections that are gone through side by side,
// in runs that are long enough for a disk that has to move its heads.
//
// Threads: one owner.

#ifndef LIBTELEPORT_MIGRATE_BULK_ORDER_HPP
#define LIBTELEPORT_MIGRATE_BULK_ORDER_HPP

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace teleport {

/// Extents of one disk, side by side.
struct extent_run {
  std::uint16_t disk = 0;
  std::uint64_t first = 0;
  std::size_t count = 0;

  bool operator==(const extent_run&) const = default;
};

class bulk_order {
 public:
  /// Extents read and announced in one go: 8 MiB of sequential reading, and an
  /// announcement whose header costs little beside its digests.
  static constexpr std::size_t run_extents = 8;
  /// One turn through all of them is as long as the window in which blocks are
  /// packed (32 MiB): with 8, what lies side by side on the disk was too far
  /// apart there, which cost 3 % of the bytes of a web server's disk.
  static constexpr std::size_t sections = 4;

  /// Nothing to announce.
  bulk_order() = default;
  /// @param disk_bytes  sizes in the OFFER's order; at most 65536
  explicit bulk_order(const std::vector<std::uint64_t>& disk_bytes);

  /// @return the next run; nullopt when every extent had its turn
  [[nodiscard]] std::optional<extent_run> next() const;
  /// next() had its turn.
  void advance();
  [[nodiscard]] bool over() const { return !next(); }

 private:
  /// Runs are numbered through all disks; a section holds those from `at` to
  /// `end`.
  struct section {
    std::uint64_t at = 0;
    std::uint64_t end = 0;
  };
  struct disk {
    std::uint64_t extents = 0;
    std::uint64_t first_run = 0;
  };
  void skip_finished();

  std::vector<disk> disks_;
  std::array<section, sections> sections_{};
  std::size_t turn_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_BULK_ORDER_HPP
