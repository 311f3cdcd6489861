// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/time_of_day.hpp: "HH:MM", as the configuration and options
// have it.

#ifndef XL_TELEPORT_SETUP_TIME_OF_DAY_HPP
#define XL_TELEPORT_SETUP_TIME_OF_DAY_HPP

#include <chrono>
#include <optional>
#include <string_view>

namespace teleport {

/// @return minutes since midnight, 0 to 1439; nullopt unless the text is two
///         digits, a colon, and two digits
[[nodiscard]] std::optional<std::chrono::minutes> read_time_of_day(
    std::string_view text);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_TIME_OF_DAY_HPP
