// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/told_failure.hpp"

#include <fmt/format.h>

namespace teleport {

namespace {

constexpr std::string_view before_path = " \t\n'\"(=:,;[<";
constexpr std::string_view after_path = " \t\n'\"),;]>";

/// What is told of a failure of the system or of a local program; "" of others.
std::string_view local_failure(errc code) {
  switch (code) {
    case errc::system:
    case errc::not_found:
    case errc::bad_input:
    case errc::uncertain:
      return "a step failed";
    case errc::corrupt:
      return "a file of its own is damaged";
    case errc::no_space:
      return "no space is left";
    case errc::busy:
      return "what is needed is in use";
    case errc::protocol:
    case errc::unsupported:
    case errc::peer_lost:
    case errc::timeout:
    case errc::cancelled:
    case errc::refused:
    case errc::mismatch:
    case errc::not_paired:
      return "";
  }
  return "a step failed";
}

}  // namespace

std::string without_paths(std::string_view text) {
  std::string told;
  std::size_t at = 0;
  while (at < text.size()) {
    const bool begins =
        text[at] == '/' &&
        (at == 0 || before_path.find(text[at - 1]) != std::string_view::npos);
    if (!begins) {
      told += text[at++];
      continue;
    }
    const std::size_t end = text.find_first_of(after_path, at);
    const std::string_view path =
        text.substr(at, end == std::string_view::npos ? end : end - at);
    // A sentence's colon behind a path is the sentence's.
    told += path.ends_with(':') ? "(a path):" : "(a path)";
    at += path.size();
  }
  return told;
}

std::string told_of(const error& cause) {
  const std::string_view local = local_failure(cause.code);
  return local.empty()
             ? without_paths(cause.context)
             : fmt::format("{} on that host, whose own log and report say more",
                           local);
}

}  // namespace teleport
