// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/texts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <ctime>
#include <map>
#include <system_error>

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

std::optional<std::uint64_t> read_bytes(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc()) {
    return std::nullopt;
  }
  std::string_view unit(end, text.data() + text.size());
  while (!unit.empty() && unit.front() == ' ') {
    unit.remove_prefix(1);
  }
  static const std::map<std::string_view, unsigned> shifts = {
      {"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
  const auto shift = shifts.find(unit);
  if (shift == shifts.end() || number > (UINT64_MAX >> shift->second)) {
    return std::nullopt;
  }
  return number << shift->second;
}

std::string clock_text(double seconds) {
  constexpr std::uint64_t minute = 60;
  const auto whole =
      static_cast<std::uint64_t>(std::llround(std::max(0.0, seconds)));
  return fmt::format("{}:{:02}:{:02}",
                     whole / minute / minute,
                     whole / minute % minute,
                     whole % minute);
}

std::string utc_text(std::int64_t when) {
  const std::time_t seconds = when;
  std::tm parts{};
  (void)::gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

double percent_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0
             ? 0
             : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace teleport
