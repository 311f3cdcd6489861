// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/digest_window.hpp: how many blocks a host has named by
// digests and not brought, in the last day, in all of its sessions: they are
// processes, and add to the same words. Each word has the count of one hour,
// with the hour in it, so that no lock is needed and nothing is cleared.
//
// Threads: any, and any number of processes. Blocks: never.

#ifndef LIBTELEPORT_MIGRATE_DIGEST_WINDOW_HPP
#define LIBTELEPORT_MIGRATE_DIGEST_WINDOW_HPP

#include <cstddef>
#include <cstdint>
#include <span>

#include "libteleport/wire/format.hpp"

namespace teleport {

class digest_window {
 public:
  static constexpr std::size_t hours = 24;

  /// Blocks of 32 GiB. An honest host owes most where its link breaks again and
  /// again: max_outstanding extents each time, so 32 times a day.
  static constexpr std::uint64_t most =
      std::uint64_t{32} * max_outstanding * extent_blocks;

  /// @param words  all zero at first; outlive this
  explicit digest_window(std::span<std::uint64_t, hours> words)
      : words_(words) {}

  /// @param hour  from any beginning that all processes share
  void add(std::uint64_t blocks, std::uint64_t hour) noexcept;
  /// Of this hour and the 23 before it.
  [[nodiscard]] std::uint64_t total(std::uint64_t hour) const noexcept;

 private:
  std::span<std::uint64_t, hours> words_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_DIGEST_WINDOW_HPP
