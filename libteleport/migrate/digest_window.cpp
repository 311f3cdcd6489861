// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/digest_window.hpp"

#include <algorithm>
#include <atomic>

namespace teleport {

namespace {

/// Of a word, for the count: a day's digests of any link. The hour above them
/// is enough for 1900 years.
constexpr unsigned count_bits = 40;
constexpr std::uint64_t max_count = (std::uint64_t{1} << count_bits) - 1;

std::uint64_t count_of(std::uint64_t word) noexcept {
  return word & max_count;
}

std::uint64_t hour_of(std::uint64_t word) noexcept {
  return word >> count_bits;
}

}  // namespace

void digest_window::add(std::uint64_t blocks, std::uint64_t hour) noexcept {
  const std::atomic_ref<std::uint64_t> word(words_[hour % hours]);
  std::uint64_t before = word;
  std::uint64_t after = 0;
  do {
    const std::uint64_t known = hour_of(before) == hour ? count_of(before) : 0;
    after =
        (hour << count_bits) | (known + std::min(blocks, max_count - known));
  } while (!word.compare_exchange_weak(before, after));
}

std::uint64_t digest_window::total(std::uint64_t hour) const noexcept {
  std::uint64_t sum = 0;
  for (std::uint64_t& slot : words_) {
    const std::uint64_t word = std::atomic_ref<std::uint64_t>(slot);
    const bool is_recent =
        hour_of(word) <= hour && hour - hour_of(word) < hours;
    sum += is_recent ? count_of(word) : 0;
  }
  return sum;
}

}  // namespace teleport
