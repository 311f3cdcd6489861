// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/setting_values.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "libteleport/base/json_text.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

namespace {

using nlohmann::json;

struct default_value {
  const char* section;
  const char* name;
  json value;
};

/// As the file that is shipped has them, and in its order: test/cli/config.sh
/// compares.
const std::vector<default_value>& defaults() {
  static const std::vector<default_value> all = {
      {"listen", "address", "::"},
      {"listen", "port", default_port},
      {"listen", "from", {"0.0.0.0/0", "::/0"}},
      {"peers", "dir", "/etc/xen/teleport/peers"},
      {"peers", "aliases", json::array()},
      {"keys", "cert", "/etc/xen/teleport/host.crt"},
      {"keys", "key", "/etc/xen/teleport/host.key"},
      {"store", "kind", "directory"},
      {"store", "path", "/var/lib/xen/images"},
      {"store", "pool", ""},
      {"store", "reserve", "0"},
      {"index", "path", "/var/lib/xl-teleport/index"},
      {"index", "max_size", "64 GiB"},
      {"index", "donors", "listed"},
      {"index", "folders", json::array()},
      {"index", "keep_fresh", true},
      {"index", "max_followed", 30},
      {"index", "scan_rate", "0"},
      {"index", "quiet_seconds", 30},
      {"link", "bwlimit", "off"},
      {"link", "connections", "auto"},
      {"link", "congestion_control", "auto"},
      {"state", "path", "/var/lib/xl-teleport"},
      {"state", "run", "/run/xl-teleport"},
      {"history", "days", 90},
      {"history", "entries", 1000},
      {"arrivals", "boot_files", json(default_arrival_rules().boot_files)},
      {"arrivals", "nic_scripts", json(default_arrival_rules().nic_scripts)},
      {"hooks", "at_gate", ""},
      {"debug", "record_stream", ""},
  };
  return all;
}

/// @pre a value that load_settings() takes
json to_json(const toml::node& node) {
  if (const auto* const list = node.as_array()) {
    json values = json::array();
    for (const toml::node& entry : *list) {
      values.push_back(to_json(entry));
    }
    return values;
  }
  if (const auto text = node.value_exact<std::string>()) {
    return *text;
  }
  if (const auto word = node.value_exact<bool>()) {
    return *word;
  }
  return node.value<std::int64_t>().value_or(0);
}

/// JSON's texts, numbers and lists are TOML's.
std::string toml_text(const json& value) {
  if (!value.is_array()) {
    return dump(value);
  }
  std::string text;
  for (const json& entry : value) {
    text += (text.empty() ? "" : ", ") + dump(entry);
  }
  return "[" + text + "]";
}

}  // namespace

result<std::vector<setting_value>> read_setting_values(const std::string& path,
                                                       bool named) {
  if (const auto good = load_settings(path, named); !good) {
    return good.error();
  }
  toml::table given;
  if (std::error_code missing; std::filesystem::exists(path, missing)) {
    try {
      given = toml::parse_file(path);
    } catch (const toml::parse_error& failure) {
      return error(errc::bad_input,
                   fmt::format("{}: {}", path, failure.description()));
    }
  }
  std::vector<setting_value> values;
  for (const default_value& one : defaults()) {
    const auto node = given[one.section][one.name];
    values.push_back({one.section,
                      one.name,
                      node ? to_json(*node.node()) : one.value,
                      static_cast<bool>(node)});
  }
  return values;
}

std::string plain_text(const json& value) {
  if (value.is_string()) {
    return value.get<std::string>() + '\n';
  }
  if (!value.is_array()) {
    return dump(value) + '\n';
  }
  std::string lines;
  for (const json& entry : value) {
    lines += plain_text(entry);
  }
  return lines;
}

std::string as_toml(const std::vector<setting_value>& values) {
  std::string text;
  std::string_view section;
  for (const setting_value& one : values) {
    if (one.section != section) {
      section = one.section;
      text += fmt::format("{}[{}]\n", text.empty() ? "" : "\n", section);
    }
    text += fmt::format("{} = {}\n", one.name, toml_text(one.value));
  }
  return text;
}

json as_json(const std::vector<setting_value>& values) {
  json object = json::object();
  for (const setting_value& one : values) {
    object[one.section][one.name] = one.value;
  }
  return object;
}

}  // namespace teleport
