// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/progress_text.hpp: progress in one line, for people.
//
// Threads: pure functions.

#ifndef XL_TELEPORT_SOURCE_PROGRESS_TEXT_HPP
#define XL_TELEPORT_SOURCE_PROGRESS_TEXT_HPP

#include <cstddef>
#include <string>

#include "xl-teleport/source/report.hpp"

namespace teleport {

/// A line of `columns` columns at most: what matters less is left out where
/// there is no room.
///
/// @param elapsed  seconds since the first line
[[nodiscard]] std::string progress_line(const progress& now,
                                        double elapsed,
                                        std::size_t columns);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_PROGRESS_TEXT_HPP
