// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/host_port.hpp: the other host as the user names it.

#ifndef TOOLS_HOST_PORT_HPP
#define TOOLS_HOST_PORT_HPP

#include <cstdint>
#include <string>

namespace teleport {

/// Splits HOST[:PORT], with brackets round an IPv6 address that has a port.
///
/// @param port  set only when one is named
/// @return false when it is neither
[[nodiscard]] bool split_host(const std::string& text,
                              std::string& host,
                              std::uint16_t& port);

}  // namespace teleport

#endif  // TOOLS_HOST_PORT_HPP
