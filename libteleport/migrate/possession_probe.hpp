// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/migrate/possession_probe.hpp: which blocks of an extent a source
// has to send although donors hold them. A source that knows the SHA-256 of an
// extent and not its bytes cannot, and the extent is not proven.
//
// Threads: any; a plain value.
// Trust:   the source chooses places and digests; it does not know the secret.

#ifndef LIBTELEPORT_MIGRATE_POSSESSION_PROBE_HPP
#define LIBTELEPORT_MIGRATE_POSSESSION_PROBE_HPP

#include <array>
#include <cstddef>

#include "libteleport/base/block_mask.hpp"
#include "libteleport/wire/record.hpp"

namespace teleport {

class possession_probe {
 public:
  using secret = std::array<std::byte, 32>;

  /// Of each so many blocks from donors one is asked for, and at least one:
  /// at most 4 of an extent's 256, 1.6 %.
  static constexpr std::size_t blocks_for_each = 64;

  explicit possession_probe(const secret& value) : secret_(value) {}
  /// With a secret that nobody can guess: one for each session.
  /// @throws std::runtime_error when the kernel has no random numbers
  [[nodiscard]] static possession_probe make();

  /// @param donated  blocks that donors hold
  /// @return a part of `donated`, the same at each call; none of none
  [[nodiscard]] block_mask choose(const extent_place& place,
                                  const block_mask& donated) const;

 private:
  secret secret_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_MIGRATE_POSSESSION_PROBE_HPP
