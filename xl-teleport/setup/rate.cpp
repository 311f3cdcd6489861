// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/rate.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <map>
#include <system_error>

#include <fmt/format.h>

#include "xl-teleport/setup/link_plan.hpp"

namespace teleport {

namespace {

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return small;
}

/// Bytes a second for a unit. That of bits is one in any letters; a lone letter
/// is bits to some programs, and bytes to others.
std::optional<double> unit_called(std::string_view name) {
  static const std::map<std::string_view, double> units = {
      {"kbit", 125e0},
      {"mbit", 125e3},
      {"gbit", 125e6},
      {"kB", 1e3},
      {"KB", 1e3},
      {"MB", 1e6},
      {"GB", 1e9},
      {"KiB", 1024e0},
      {"MiB", 1024e0 * 1024},
      {"GiB", 1024e0 * 1024 * 1024}};
  const std::string small = in_small_letters(name);
  const auto unit = units.find(small.ends_with("bit") ? small : name);
  return unit == units.end() ? std::nullopt : std::optional(unit->second);
}

}  // namespace

std::optional<double> bytes_a_second(std::string_view text) {
  const std::size_t digits = text.find_first_not_of("0123456789.");
  if (digits == 0 || digits == std::string_view::npos || digits > 12) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, failure] =
      std::from_chars(text.data(), text.data() + digits, value);
  const auto unit = unit_called(text.substr(digits));
  return failure == std::errc() && end == text.data() + digits && unit
             ? std::optional(value * *unit)
             : std::nullopt;
}

std::string rate_fault(std::string_view text) {
  const auto rate = bytes_a_second(text);
  if (!rate) {
    return fmt::format("'{}' is not {}", text, rate_examples);
  }
  return *rate < least_rate
             ? fmt::format("'{}' is below the least, 8.2kbit", text)
             : fmt::format("'{}' is above the most, 8000Gbit", text);
}

}  // namespace teleport
