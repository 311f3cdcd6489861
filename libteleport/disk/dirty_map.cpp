// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/dirty_map.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace teleport {

namespace {

constexpr std::size_t word_bits = 64;

/// The lowest `count` bits, 0 to 64 of them.
std::uint64_t low_bits(std::size_t count) {
  return count >= word_bits ? ~std::uint64_t{0}
                            : (std::uint64_t{1} << count) - 1;
}

/// Sets bits [first, last) of `words`.
void set_bits(std::span<std::uint64_t> words,
              std::uint64_t first,
              std::uint64_t last) {
  while (first < last) {
    const std::size_t shift = first % word_bits;
    const std::uint64_t count =
        std::min<std::uint64_t>(last - first, word_bits - shift);
    words[first / word_bits] |= low_bits(count) << shift;
    first += count;
  }
}

}  // namespace

dirty_map::dirty_map(std::uint64_t disk_bytes, std::size_t grain)
    : disk_(disk_bytes),
      grain_(grain),
      words_(count_of(count_of(disk_bytes, grain), word_bits)) {
  assert(std::has_single_bit(grain) && grain >= block_bytes &&
         grain <= extent_bytes);
}

void dirty_map::mark(std::uint64_t offset, std::uint64_t length) {
  if (offset >= disk_ || length == 0) {
    return;
  }
  const std::uint64_t end = offset + std::min(length, disk_ - offset);
  set_bits(words_, offset / grain_, count_of(end, grain_));
}

void dirty_map::merge(const dirty_map& other) {
  assert(other.disk_ == disk_ && other.grain_ == grain_);
  for (std::size_t i = 0; i < words_.size(); ++i) {
    words_[i] |= other.words_[i];
  }
}

bool dirty_map::empty() const noexcept {
  return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) {
    return word == 0;
  });
}

std::uint64_t dirty_map::bytes() const noexcept {
  std::uint64_t grains = 0;
  for (const std::uint64_t word : words_) {
    grains += static_cast<std::uint64_t>(std::popcount(word));
  }
  if (grains == 0) {
    return 0;
  }
  const std::uint64_t last = (disk_ - 1) / grain_;
  const bool last_marked =
      ((words_[last / word_bits] >> (last % word_bits)) & 1U) != 0;
  const std::uint64_t over = (last + 1) * grain_ - disk_;
  return grains * grain_ - (last_marked ? over : 0);
}

std::optional<std::uint64_t> dirty_map::next_extent(
    std::uint64_t from) const noexcept {
  const std::uint64_t per_extent = extent_bytes / grain_;
  if (from >= extents_of(disk_)) {
    return std::nullopt;
  }
  const std::uint64_t bit = from * per_extent;
  std::size_t index = bit / word_bits;
  std::uint64_t word = words_[index] & ~low_bits(bit % word_bits);
  while (word == 0) {
    if (++index == words_.size()) {
      return std::nullopt;
    }
    word = words_[index];
  }
  const auto zeros = static_cast<std::uint64_t>(std::countr_zero(word));
  return (index * word_bits + zeros) / per_extent;
}

std::uint64_t dirty_map::extents() const noexcept {
  std::uint64_t count = 0;
  for (auto at = next_extent(0); at; at = next_extent(*at + 1)) {
    ++count;
  }
  return count;
}

block_mask dirty_map::take_extent(std::uint64_t extent) {
  block_mask mask;
  if (extent >= extents_of(disk_)) {
    return mask;
  }
  const std::uint64_t per_extent = extent_bytes / grain_;
  const std::uint64_t per_grain = grain_ / block_bytes;
  const std::uint64_t blocks =
      count_of(extent_length(disk_, extent), block_bytes);
  for (std::uint64_t i = 0; i < per_extent; ++i) {
    const std::uint64_t bit = extent * per_extent + i;
    if (bit / word_bits >= words_.size()) {
      break;
    }
    std::uint64_t& word = words_[bit / word_bits];
    const std::uint64_t selected = std::uint64_t{1} << (bit % word_bits);
    if ((word & selected) != 0) {
      word &= ~selected;
      set_bits(
          mask.words, i * per_grain, std::min((i + 1) * per_grain, blocks));
    }
  }
  return mask;
}

}  // namespace teleport
