// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/memory_brake.hpp: whether libxl's stream is read while
// the guest runs. A guest that writes faster than its rounds bring over beside
// the memory would be suspended with more left than was wanted: libxl, which
// cannot go on to the suspension while nobody reads what it writes, waits.
//
// Threads: a plain value. Time and bytes are given, nothing is measured here.

#ifndef LIBTELEPORT_SESSION_MEMORY_BRAKE_HPP
#define LIBTELEPORT_SESSION_MEMORY_BRAKE_HPP

#include <compare>
#include <cstdint>

namespace teleport {

class memory_brake {
 public:
  /// Rounds with the memory held that do not make the rest a tenth smaller: it
  /// goes on for a while then, as such a guest would never be moved else.
  static constexpr unsigned most_in_vain = 3;

  /// Blocks were weighed.
  ///
  /// @param dirty  bytes that are left
  /// @param fits   within the downtime that is wanted
  /// @return whether the memory is held until the next weighing
  bool weigh(std::uint64_t dirty, bool fits) noexcept;
  /// The guest is suspended: what is left of its memory is awaited.
  void release() noexcept { *this = memory_brake(); }
  [[nodiscard]] bool holds() const noexcept { return holds_; }

  friend auto operator<=>(const memory_brake&, const memory_brake&) = default;

 private:
  bool holds_ = false;
  unsigned in_vain_ = 0;
  std::uint64_t smallest_ = UINT64_MAX;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_MEMORY_BRAKE_HPP
