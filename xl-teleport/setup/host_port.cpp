// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/host_port.hpp"

#include <charconv>
#include <system_error>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace teleport {

bool split_host(const std::string& text,
                std::string& host,
                std::uint16_t& port) {
  std::string number;
  const auto colon = text.find(':');
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string::npos) {
      return false;
    }
    host = text.substr(1, end - 1);
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':') {
        return false;
      }
      number = text.substr(end + 2);
    }
  } else if (colon != std::string::npos && colon == text.rfind(':')) {
    host = text.substr(0, colon);
    number = text.substr(colon + 1);
  } else {
    host = text;  // a name, or an IPv6 address
  }
  if (number.empty() && text.ends_with(':') && host != text) {
    return false;
  }
  if (!number.empty()) {
    const auto [end, failure] =
        std::from_chars(number.data(), number.data() + number.size(), port);
    if (failure != std::errc() || end != number.data() + number.size() ||
        port == 0) {
      return false;
    }
  }
  return !host.empty() && host.find('@') == std::string::npos;
}

std::string host_fault(const std::string& text) {
  return fmt::format("'{}' is not HOST or HOST:PORT{}",
                     text,
                     text.find('@') == std::string::npos
                         ? ""
                         : ": a user is ssh's, and no teleport goes over it");
}

void add_peer_option(CLI::App& app, std::string& peer) {
  app.add_option("--peer",
                 peer,
                 "the name that HOST is paired under, where it is another one")
      ->type_name("NAME");
}

}  // namespace teleport
