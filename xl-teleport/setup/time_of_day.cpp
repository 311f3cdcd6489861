// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/time_of_day.hpp"

namespace teleport {

std::optional<std::chrono::minutes> read_time_of_day(std::string_view text) {
  const auto digit = [&](std::size_t at) {
    return static_cast<unsigned>(text[at] - '0');
  };
  if (text.size() != 5 || text[2] != ':') {
    return std::nullopt;
  }
  for (const std::size_t at : {0U, 1U, 3U, 4U}) {
    if (digit(at) > 9) {
      return std::nullopt;
    }
  }
  const unsigned hour = digit(0) * 10 + digit(1);
  const unsigned minute = digit(3) * 10 + digit(4);
  if (hour > 23 || minute > 59) {
    return std::nullopt;
  }
  return std::chrono::hours(hour) + std::chrono::minutes(minute);
}

}  // namespace teleport
