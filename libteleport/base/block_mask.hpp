// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/block_mask.hpp: a choice among the 256 blocks of an extent.

#ifndef LIBTELEPORT_BASE_BLOCK_MASK_HPP
#define LIBTELEPORT_BASE_BLOCK_MASK_HPP

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "libteleport/base/units.hpp"

namespace teleport {

/// Block i is bit i % 64 of word i / 64.
struct block_mask {
  static_assert(extent_blocks % 64 == 0);
  std::array<std::uint64_t, extent_blocks / 64> words{};

  void set(std::size_t block) noexcept {
    words[block / 64] |= std::uint64_t{1} << (block % 64);
  }
  [[nodiscard]] bool test(std::size_t block) const noexcept {
    return (words[block / 64] >> (block % 64) & 1U) != 0;
  }
  [[nodiscard]] std::size_t count() const noexcept {
    std::size_t n = 0;
    for (const std::uint64_t word : words) {
      n += static_cast<std::size_t>(std::popcount(word));
    }
    return n;
  }
  [[nodiscard]] bool none() const noexcept { return count() == 0; }

  /// The first `blocks` blocks of an extent.
  /// @pre blocks <= extent_blocks
  [[nodiscard]] static block_mask first(std::size_t blocks) noexcept {
    block_mask mask;
    for (std::size_t i = 0; i < blocks; ++i) {
      mask.set(i);
    }
    return mask;
  }

  friend bool operator==(const block_mask&, const block_mask&) = default;
  friend block_mask operator&(block_mask a, const block_mask& b) noexcept {
    for (std::size_t i = 0; i < a.words.size(); ++i) {
      a.words[i] &= b.words[i];
    }
    return a;
  }
  friend block_mask operator|(block_mask a, const block_mask& b) noexcept {
    for (std::size_t i = 0; i < a.words.size(); ++i) {
      a.words[i] |= b.words[i];
    }
    return a;
  }
  /// What is in `a` and not in `b`.
  friend block_mask operator-(block_mask a, const block_mask& b) noexcept {
    for (std::size_t i = 0; i < a.words.size(); ++i) {
      a.words[i] &= ~b.words[i];
    }
    return a;
  }
};

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_BLOCK_MASK_HPP
