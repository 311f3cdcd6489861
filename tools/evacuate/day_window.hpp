// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/evacuate/day_window.hpp: the part of the day in which an evacuation may
// begin something: "02:00-05:00", or over midnight "22:30-04:00".
//
// Threads: pure functions; the time is a value that is passed in.

#ifndef TOOLS_EVACUATE_DAY_WINDOW_HPP
#define TOOLS_EVACUATE_DAY_WINDOW_HPP

#include <chrono>
#include <string_view>

#include "libteleport/base/error.hpp"

namespace teleport::evacuation {

/// Both since midnight of the host's own time; never equal.
struct day_window {
  std::chrono::minutes opens{0};
  std::chrono::minutes closes{0};

  friend bool operator==(const day_window&, const day_window&) = default;
};

/// @error errc::bad_input
[[nodiscard]] result<day_window> read_window(std::string_view text);

/// @param since_midnight  now, by the host's own time
[[nodiscard]] bool is_open(const day_window& window,
                           std::chrono::seconds since_midnight);

/// The time until it closes; 0 when it is closed.
[[nodiscard]] std::chrono::seconds until_close(
    const day_window& window, std::chrono::seconds since_midnight);

}  // namespace teleport::evacuation

#endif  // TOOLS_EVACUATE_DAY_WINDOW_HPP
