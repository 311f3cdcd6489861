// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/scan_text.hpp: how far a scan is, in words for people.

#ifndef INDEX_SCAN_TEXT_HPP
#define INDEX_SCAN_TEXT_HPP

#include <string>

#include "index/scanner.hpp"

namespace teleport::index {

/// "12 min": how long the rest takes when it goes on like this; empty while
/// nothing can be said. @param seconds  that the scan has run
[[nodiscard]] std::string time_left(const scan_progress& now, double seconds);

}  // namespace teleport::index

#endif  // INDEX_SCAN_TEXT_HPP
