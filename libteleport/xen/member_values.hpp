// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/member_values.hpp: whether what a member of a guest's
// configuration holds is what its rule wants; for sources alone.
//
// Threads: pure functions.
// Trust:   values come from a peer.

#ifndef LIBTELEPORT_XEN_MEMBER_VALUES_HPP
#define LIBTELEPORT_XEN_MEMBER_VALUES_HPP

#include <initializer_list>
#include <string_view>

#include <nlohmann/json.hpp>

#include "libteleport/xen/config_rules.hpp"
#include "libteleport/xen/guest_config.hpp"

namespace teleport {

/// Null, empty, false, 0, or one of libxl's words for such.
[[nodiscard]] bool is_off(const nlohmann::json& value);

/// A text that is one of these.
[[nodiscard]] bool is_one_of(const nlohmann::json& value,
                             std::initializer_list<std::string_view> words);

/// A text of at most 4095 bytes without control characters and marks of
/// direction.
[[nodiscard]] bool is_text(const nlohmann::json& value);

/// Of a rule that is about one value: not of object, list and disks.
///
/// @param rules  of the host; nullptr where any of its files may be named
[[nodiscard]] bool is_allowed(const nlohmann::json& value,
                              member_rule rule,
                              const arrival_rules* rules);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_MEMBER_VALUES_HPP
