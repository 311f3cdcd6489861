// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/facts_json.hpp: guest and host facts as JSON text, for the
// wire and for --json.
//
// Threads: pure functions.
// Trust:   the readers are made for hostile text: every field must be there,
//          of its type and within its limits; unknown fields are ignored.

#ifndef LIBTELEPORT_XEN_FACTS_JSON_HPP
#define LIBTELEPORT_XEN_FACTS_JSON_HPP

#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/xen/facts.hpp"

namespace teleport {

/// Longest text the readers accept, in bytes: the configuration twice (it is
/// escaped inside) and room for the rest.
inline constexpr std::size_t max_facts_bytes = std::size_t{1} << 20U;

[[nodiscard]] std::string to_json(const guest_info& guest);
[[nodiscard]] std::string to_json(const host_facts& host);
[[nodiscard]] std::string to_json(const std::vector<problem>& problems);

/// @error errc::protocol, naming the field
[[nodiscard]] result<guest_info> read_guest_info(std::string_view json);
/// @error errc::protocol, naming the field
[[nodiscard]] result<host_facts> read_host_facts(std::string_view json);
/// @error errc::protocol, naming the field
[[nodiscard]] result<std::vector<problem>> read_problems(std::string_view json);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_FACTS_JSON_HPP
