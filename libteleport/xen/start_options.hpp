// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/start_options.hpp: which options of xl.cfg(5) may come from
// another host, and what they may hold: config_rules.hpp in xl's words.
//
// Threads: constants.

#ifndef LIBTELEPORT_XEN_START_OPTIONS_HPP
#define LIBTELEPORT_XEN_START_OPTIONS_HPP

#include <span>
#include <string_view>

#include "libteleport/xen/config_rules.hpp"

namespace teleport {

struct start_option {
  std::string_view key;
  /// list: texts of "KEY=VALUE,KEY=VALUE", by a table of their own.
  member_rule rule;
  /// Letters that a word may have besides.
  std::string_view letters{};
  std::span<const start_option> parts{};
};

/// Options that are not here are left out. Those of_host are left out without a
/// word: each host has its own.
[[nodiscard]] std::span<const start_option> start_options() noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_START_OPTIONS_HPP
