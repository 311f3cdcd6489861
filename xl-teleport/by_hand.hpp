// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/by_hand.hpp: a person decides where a guest runs, where no
// machine can know it. The person is told what to look at before, and types it.
//
// Threads: one. Blocks: on the terminal.

#ifndef XL_TELEPORT_BY_HAND_HPP
#define XL_TELEPORT_BY_HAND_HPP

#include <istream>
#include <ostream>
#include <string>

namespace teleport {

/// @param warning   what it means, and what must be true
/// @param phrase    to be typed, on a line of its own
/// @param terminal  whether a person can type
/// @return false: nothing may be done; why was said
[[nodiscard]] bool is_confirmed(const std::string& warning,
                                const std::string& phrase,
                                bool yes,
                                bool terminal,
                                std::istream& in,
                                std::ostream& out);

}  // namespace teleport

#endif  // XL_TELEPORT_BY_HAND_HPP
