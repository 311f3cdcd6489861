// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/json_text.hpp"

#include <algorithm>

namespace teleport {

std::size_t json_depth(std::string_view text) noexcept {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      i += c == '\\' ? 1U : 0U;
      in_string = c != '"';
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      depth -= depth > 0 ? 1U : 0U;
    } else {
      in_string = c == '"';
    }
  }
  return deepest;
}

result<nlohmann::json> parse_object(std::string_view text, std::size_t limit) {
  if (text.size() > limit) {
    return error(errc::corrupt,
                 "JSON of " + std::to_string(text.size()) + " bytes, above " +
                     std::to_string(limit));
  }
  if (json_depth(text) > max_json_depth) {
    return error(errc::corrupt,
                 "JSON nested deeper than " + std::to_string(max_json_depth) +
                     " levels");
  }
  nlohmann::json json =
      nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {  // discarded, or another kind of value
    return error(errc::corrupt, "not a JSON object");
  }
  return json;
}

std::string dump(const nlohmann::json& json, int indent) {
  return json.dump(
      indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace teleport
