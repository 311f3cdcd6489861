// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/host_port.hpp: the other host as the user names it.

#ifndef XL_TELEPORT_SETUP_HOST_PORT_HPP
#define XL_TELEPORT_SETUP_HOST_PORT_HPP

#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace teleport {

/// Splits HOST[:PORT], with brackets round an IPv6 address that has a port.
///
/// @param port  set only when one is named
/// @return false when it is neither
[[nodiscard]] bool split_host(const std::string& text,
                              std::string& host,
                              std::uint16_t& port);

/// What is wrong with a text that split_host() does not take.
[[nodiscard]] std::string host_fault(const std::string& text);

/// Adds --peer; `peer` must outlive the parsing. What it says is put into
/// key_files::aliases.
void add_peer_option(CLI::App& app, std::string& peer);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_HOST_PORT_HPP
