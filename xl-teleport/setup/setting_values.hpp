// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/setting_values.hpp: teleport.conf(5) key by key, as it
// holds: for scripts, which read no TOML, and for people.
//
// Threads: any. Blocks: on the file.

#ifndef XL_TELEPORT_SETUP_SETTING_VALUES_HPP
#define XL_TELEPORT_SETUP_SETTING_VALUES_HPP

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/error.hpp"

namespace teleport {

struct setting_value {
  std::string section;  ///< "state"
  std::string name;     ///< "path"
  /// A text, a number, true or false, or a list of texts.
  nlohmann::json value;
  bool is_given = false;  ///< in the file; else it is the default

  /// "state.path"
  [[nodiscard]] std::string key() const { return section + "." + name; }
};

/// Every key, in the order of teleport.conf.
///
/// @error as load_settings()
[[nodiscard]] result<std::vector<setting_value>> read_setting_values(
    const std::string& path, bool named);

/// The value alone: a text as it is, a list by lines.
[[nodiscard]] std::string plain_text(const nlohmann::json& value);

/// All of it as teleport.conf(5) wants it.
[[nodiscard]] std::string as_toml(const std::vector<setting_value>& values);
/// An object of sections.
[[nodiscard]] nlohmann::json as_json(const std::vector<setting_value>& values);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_SETTING_VALUES_HPP
