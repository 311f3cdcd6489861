// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/texts.hpp"

#include <array>
#include <cstddef>

#include <fmt/format.h>

namespace teleport {

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> units = {
      "B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : 1, units[unit]);
}

double percent_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0
             ? 0
             : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace teleport
