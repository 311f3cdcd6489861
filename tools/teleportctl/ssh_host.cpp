// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/ssh_host.hpp"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "libteleport/net/peer_files.hpp"

namespace teleport {

namespace {

constexpr std::string_view scheme = "ssh://";

/// "[ADDRESS]" without its brackets; anything else as it is.
std::string_view without_brackets(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host.remove_prefix(1);
    host.remove_suffix(1);
  }
  return host;
}

/// HOST of HOST[:PORT] in a URI.
std::string_view without_port(std::string_view host) {
  const auto bracket = host.rfind(']');
  const auto colon = host.rfind(':');
  const bool has_port = colon != std::string_view::npos &&
                        (bracket == std::string_view::npos || bracket < colon);
  return has_port ? host.substr(0, colon) : host;
}

}  // namespace

result<ssh_host> read_ssh_host(const std::string& text, std::uint16_t port) {
  std::string_view host = text;
  const bool is_uri = host.starts_with(scheme);
  if (is_uri) {
    host.remove_prefix(scheme.size());
    if (host.ends_with('/')) {
      host.remove_suffix(1);
    }
  }
  const auto at = host.rfind('@');
  std::string_view user;
  if (at != std::string_view::npos) {
    user = host.substr(0, at + 1);
    host.remove_prefix(at + 1);
  }
  if (is_uri) {
    host = without_port(host);
  } else if (std::ranges::count(host, ':') == 1) {
    return error(errc::bad_input,
                 fmt::format("'{}' has a port: name it with --port {}",
                             text,
                             host.substr(host.find(':') + 1)));
  }
  host = without_brackets(host);
  if (text.starts_with('-') || !is_peer_name(host)) {
    return error(
        errc::bad_input,
        fmt::format("'{}' is not [USER@]HOST or ssh://[USER@]HOST[:PORT]",
                    text));
  }
  ssh_host read;
  read.name = host;
  if (port != 0) {
    read.arguments = {"-p", std::to_string(port)};
  }
  read.arguments.emplace_back("--");
  // ssh knows brackets in a URI alone.
  read.arguments.push_back(is_uri ? text : fmt::format("{}{}", user, host));
  return read;
}

}  // namespace teleport
