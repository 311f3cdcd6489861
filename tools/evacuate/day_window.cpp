// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/day_window.hpp"

#include <optional>
#include <string>

#include "xl-teleport/setup/time_of_day.hpp"

namespace teleport::evacuation {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr seconds day = hours(24);

/// From `from` forward to `to`, over midnight if need be.
seconds forward(seconds from, seconds to) {
  return to >= from ? to - from : to - from + day;
}

}  // namespace

result<day_window> read_window(std::string_view text) {
  const auto opens = read_time_of_day(text.substr(0, 5));
  const auto closes =
      text.size() == 11 ? read_time_of_day(text.substr(6)) : std::nullopt;
  if (!opens || !closes || text[5] != '-' || *opens == *closes) {
    return error(errc::bad_input,
                 "'" + std::string(text) +
                     "' is not a part of the day: write it as 02:00-05:00");
  }
  return day_window{*opens, *closes};
}

bool is_open(const day_window& window, seconds since_midnight) {
  return forward(window.opens, since_midnight) <
         forward(window.opens, window.closes);
}

seconds until_close(const day_window& window, seconds since_midnight) {
  return is_open(window, since_midnight)
             ? forward(since_midnight, window.closes)
             : seconds(0);
}

}  // namespace teleport::evacuation
