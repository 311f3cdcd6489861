// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/config_rules_test.cpp: the table of what may arrive, against the
// structures of the libxl that is installed.

#include "libteleport/xen/config_rules.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/xen/guest_config.hpp"
#include "test/support/catch.hpp"

namespace teleport {
namespace {

using nlohmann::json;
using enum member_rule;

/// A field of a C structure; of a structure or union without a name also what
/// is in it.
struct c_field {
  std::string name;
  std::string type;
  std::vector<c_field> inner;
};

using c_structures = std::map<std::string, std::vector<c_field>>;

/// The last word before the semicolon; pointers and arrays are as what they
/// point to.
c_field read_field(const std::string& line) {
  const auto end = line.find_first_of(";[");
  const auto space = line.rfind(' ', end);
  c_field field{line.substr(space + 1, end - space - 1), "", {}};
  const auto type = line.find("libxl_");
  if (type != std::string::npos && type < space) {
    field.type = line.substr(type, line.find(' ', type) - type);
  }
  return field;
}

/// The fields up to the closing brace, whose line is left in `line`.
std::vector<c_field> read_fields(std::istream& header, std::string& line) {
  std::vector<c_field> fields;
  while (std::getline(header, line)) {
    const auto begin = line.find_first_not_of(' ');
    if (begin == std::string::npos) {
      continue;
    }
    line.erase(0, begin);
    if (line.starts_with('}')) {
      return fields;
    }
    if (line == "struct {" || line == "union {") {
      auto inner = read_fields(header, line);
      auto field = read_field(line);
      field.inner = std::move(inner);
      fields.push_back(std::move(field));
    } else {
      fields.push_back(read_field(line));
    }
  }
  return fields;
}

/// As gentypes.py writes it: one field in each line.
c_structures read_structures(std::istream& header) {
  const std::string opening = "typedef struct ";
  c_structures all;
  std::string line;
  while (std::getline(header, line)) {
    if (line.starts_with(opening) && line.ends_with('{')) {
      const auto name =
          line.substr(opening.size(), line.rfind(' ') - opening.size());
      all[name] = read_fields(header, line);
    }
  }
  return all;
}

/// Fields of libxl's that the table does not have, by their paths.
void compare(const std::vector<c_field>& fields,
             std::span<const config_member> members,
             const c_structures& all,
             const std::string& path,
             std::vector<std::string>& unknown,
             std::size_t& compared) {
  for (const c_field& field : fields) {
    // The length of an array, which JSON does not have.
    if (field.name.starts_with("num_") || field.name.starts_with("colo")) {
      continue;
    }
    if (field.name == "u") {
      auto variants = field.inner;
      for (auto& variant : variants) {
        variant.name = "type." + variant.name;
      }
      compare(variants, members, all, path, unknown, compared);
      continue;
    }
    const auto member =
        std::ranges::find(members, field.name, &config_member::name);
    ++compared;
    if (member == members.end()) {
      unknown.push_back(path + field.name);
      continue;
    }
    if (!member->members.empty()) {
      const auto named = all.find(field.type);
      compare(named == all.end() ? field.inner : named->second,
              member->members,
              all,
              path + field.name + ".",
              unknown,
              compared);
    }
  }
}

/// A configuration in which each member is one of `value`, alone.
void each_member(
    std::span<const config_member> members,
    const std::string& path,
    const json& value,
    const std::function<json(json)>& around,
    const std::function<
        void(const config_member&, const std::string&, const json&)>& look) {
  for (const config_member& member : members) {
    const std::string name(member.name);
    const bool is_list = member.rule == list || member.rule == disks;
    const auto whole = [&](json inner) {
      json object = json::object();
      object[name] = std::move(inner);
      return around(object);
    };
    if (member.members.empty()) {
      look(member, path + name, whole(value));
      continue;
    }
    each_member(
        member.members,
        path + name + ".",
        value,
        [&](json inner) {
          if (member.rule == disks && !inner.contains("vdev")) {
            inner["vdev"] = "xvda";
          }
          return whole(is_list ? json::array({inner}) : inner);
        },
        look);
  }
}

/// Read as texts wherever a disk is placed; guest_config_test.cpp has them.
bool says_where(const std::string& path) {
  return path == "disks.vdev" || path == "disks.pdev_path" ||
         path == "disks.script";
}

}  // namespace

TEST_CASE("every field of the installed libxl's configuration has its rule",
          "[config]") {
  std::ifstream header("/usr/include/_libxl_types.h");
  REQUIRE(header);
  const auto all = read_structures(header);
  REQUIRE(all.contains("libxl_domain_config"));
  std::vector<std::string> unknown;
  std::size_t compared = 0;
  compare(all.at("libxl_domain_config"),
          config_members(),
          all,
          "",
          unknown,
          compared);
  CHECK(unknown == std::vector<std::string>());
  // 4.17 has 206.
  CHECK(compared >= 200);
}

TEST_CASE("a path, an option and a list are no value of any member but texts",
          "[config]") {
  const json hostile = GENERATE(json("/etc/shadow"),
                                json("a,b=c"),
                                json("$(id)"),
                                json(json::array({"-monitor", "stdio"})),
                                json({{"tag", "/"}}));
  each_member(
      config_members(),
      "",
      hostile,
      [](json config) { return config; },
      [&](const config_member& member,
          const std::string& path,
          const json& config) {
        if (says_where(path)) {
          return;
        }
        INFO(path << ": " << config.dump());
        const bool is_text = member.rule == text ||
                             (member.rule == name && hostile != "/etc/shadow");
        const bool is_allowed =
            member.rule == of_host || (is_text && hostile.is_string());
        const auto refused =
            unbuildable_members(config.dump(), default_arrival_rules());
        CHECK(refused.empty() == is_allowed);
      });
}

TEST_CASE("what is off is carried of every member that is known", "[config]") {
  const json off =
      GENERATE(json(nullptr), json(""), json(false), json("False"));
  each_member(
      config_members(),
      "",
      off,
      [](json config) { return config; },
      [&](const config_member& member,
          const std::string& path,
          const json& config) {
        INFO(path << ": " << static_cast<int>(member.rule));
        if (!says_where(path)) {
          CHECK(unbuildable_members(config.dump(), default_arrival_rules())
                    .empty());
        }
      });
}

}  // namespace teleport
