// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/json_text.hpp: the one way from text to JSON and back; for
// sources alone: no other header but json_fields.hpp includes it.
//
// nlohmann's parse() has no limit of depth or length, and its dump() throws on
// bytes that are not UTF-8, as file names and other programs' output may be.
// tools/lint/check-json refuses both outside json_text.cpp.
//
// Trust:  made for hostile text; never throws on it.

#ifndef LIBTELEPORT_BASE_JSON_TEXT_HPP
#define LIBTELEPORT_BASE_JSON_TEXT_HPP

#include <cstddef>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "libteleport/base/error.hpp"

namespace teleport {

/// Objects and arrays within each other. nlohmann's dump() calls itself for
/// each level: 100,000 levels are a text of 200 KB and no stack is that large.
/// libxl's own configuration of a guest has 5.
inline constexpr std::size_t max_json_depth = 32;

/// Levels of brackets outside strings; of a text that is no JSON, some number.
[[nodiscard]] std::size_t json_depth(std::string_view text) noexcept;

/// The text as an object.
///
/// @param limit  bytes
/// @error errc::corrupt, which says what the text is not
[[nodiscard]] result<nlohmann::json> parse_object(std::string_view text,
                                                  std::size_t limit);

/// JSON text; bytes that are not UTF-8 become U+FFFD.
///
/// @param indent  blanks for each level, or -1: all in one line
[[nodiscard]] std::string dump(const nlohmann::json& json, int indent = -1);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_JSON_TEXT_HPP
