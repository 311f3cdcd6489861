// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/names.hpp: what a guest's uuid, its name and its disks' names
// may look like, whoever says them.
//
// Threads: pure functions. Trust: made for hostile text.

#ifndef LIBTELEPORT_XEN_NAMES_HPP
#define LIBTELEPORT_XEN_NAMES_HPP

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace teleport {

/// 8-4-4-4-12 lower-case hexadecimal digits.
[[nodiscard]] inline bool is_uuid(std::string_view text) {
  if (text.size() != 36) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (dash ? c != '-' : !hex) {
      return false;
    }
  }
  return true;
}

/// Names that are fit to be part of a path and of a command line.
[[nodiscard]] inline bool is_plain_name(std::string_view text) {
  return !text.empty() && text.front() != '-' && text.front() != '.' &&
         text.find('/') == std::string_view::npos;
}

/// A disk's name in a guest: "xvda".
[[nodiscard]] inline bool is_vdev(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_NAMES_HPP
