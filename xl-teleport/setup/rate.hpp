// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/rate.hpp: a rate with its unit, as people write it.
//
// Threads: pure functions.

#ifndef XL_TELEPORT_SETUP_RATE_HPP
#define XL_TELEPORT_SETUP_RATE_HPP

#include <optional>
#include <string>
#include <string_view>

namespace teleport {

/// Below a KiB a second no deadline could be kept; above, no link is known.
inline constexpr double least_rate = 1024;
inline constexpr double most_rate = 1e12;

/// "20Mbit", bits in any letters; "12MB", "10MiB": whatever its size.
[[nodiscard]] std::optional<double> bytes_a_second(std::string_view text);

/// Of a text that read_rate() does not take: what is wrong with it.
[[nodiscard]] std::string rate_fault(std::string_view text);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_RATE_HPP
