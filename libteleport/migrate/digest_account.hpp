// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/digest_account.hpp: how many blocks' digests a source has
// named, and how many of them were of what it then brought. By a digest that is
// of nothing that it has a source asks what is on this host's disks.
//
// Threads: one owner; a plain value.
// Trust:   the numbers follow from a peer's records.

#ifndef LIBTELEPORT_MIGRATE_DIGEST_ACCOUNT_HPP
#define LIBTELEPORT_MIGRATE_DIGEST_ACCOUNT_HPP

#include <cstdint>
#include <string>

#include "libteleport/base/units.hpp"
#include "libteleport/wire/format.hpp"

namespace teleport {

class digest_account {
 public:
  /// Untrue digests that a session may name: those of 2 GiB.
  ///
  /// A digest becomes untrue when the guest writes the block between the
  /// digest's sending and the data's. At most max_outstanding extents, W = 1
  /// GiB, are between the two. A guest that writes w bytes a second to a disk
  /// of D, of which the bulk proves r a second, hits them with w * W / D; the
  /// bulk lasts D / r. So W * w / r become untrue in all of it, whatever D is.
  /// The same holds where the guest writes to a part of the disk alone. A
  /// guest with w > r is given up in the rounds in any case. The factor of two
  /// is for writes that come in bursts.
  static constexpr std::uint64_t most_untrue =
      std::uint64_t{2} * max_outstanding * extent_blocks;

  explicit digest_account(std::uint64_t most = most_untrue) : most_(most) {}

  /// BLOCK_DIGESTS have come.
  void on_named(std::uint64_t blocks) noexcept { named_ += blocks; }
  /// Their extent is proven.
  ///
  /// @param untrue  blocks that are not what their digest said
  void on_proven(std::uint64_t blocks, std::uint64_t untrue) noexcept {
    true_ += blocks - untrue;
    untrue_ += untrue;
  }

  [[nodiscard]] bool is_over() const noexcept { return untrue_ > most_; }
  [[nodiscard]] std::uint64_t named() const noexcept { return named_; }
  [[nodiscard]] std::uint64_t untrue() const noexcept { return untrue_; }
  /// Untrue ones, and those whose extent is not proven.
  [[nodiscard]] std::uint64_t not_brought() const noexcept {
    return named_ - true_;
  }
  /// For the log: the three kinds, in blocks.
  [[nodiscard]] std::string text() const;

 private:
  std::uint64_t most_;
  std::uint64_t named_ = 0;
  std::uint64_t true_ = 0;
  std::uint64_t untrue_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_DIGEST_ACCOUNT_HPP
