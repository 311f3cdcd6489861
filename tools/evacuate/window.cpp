// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/evacuate/window.hpp"

#include <charconv>
#include <optional>
#include <string>

namespace teleport::evacuation {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds day = hours(24);

/// Two digits, from 0 to `limit`.
std::optional<int> two_digits(std::string_view text, int limit) {
  int value = -1;
  const char* end = text.data() + text.size();
  if (text.size() != 2 || std::from_chars(text.data(), end, value).ptr != end ||
      value < 0 || value > limit) {
    return std::nullopt;
  }
  return value;
}

/// "HH:MM"
std::optional<minutes> time_of_day(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') {
    return std::nullopt;
  }
  const auto hour = two_digits(text.substr(0, 2), 23);
  const auto minute = two_digits(text.substr(3), 59);
  if (!hour || !minute) {
    return std::nullopt;
  }
  return hours(*hour) + minutes(*minute);
}

/// From `from` forward to `to`, over midnight if need be.
seconds forward(seconds from, seconds to) {
  return to >= from ? to - from : to - from + day;
}

}  // namespace

result<day_window> read_window(std::string_view text) {
  const auto opens = time_of_day(text.substr(0, 5));
  const auto closes =
      text.size() == 11 ? time_of_day(text.substr(6)) : std::nullopt;
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
