// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/xen/guest_config.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/json_fields.hpp"
#include "libteleport/xen/config.hpp"
#include "libteleport/xen/config_rules.hpp"
#include "libteleport/xen/member_values.hpp"

namespace teleport {
namespace {

using nlohmann::json;

constexpr std::size_t max_text = 4095;
constexpr std::size_t max_entries = 256;

bool is_left_out(member_rule rule) {
  return rule == member_rule::of_host || rule == member_rule::dom0;
}

std::string why_not_listed(const std::string& path,
                           member_rule rule,
                           const std::string& file) {
  return rule == member_rule::script
             ? fmt::format(
                   "{} names {}, which the destination does not list: "
                   "its name can be added to nic_scripts under "
                   "[arrivals] in teleport.conf there",
                   path,
                   file)
             : fmt::format(
                   "{} names {}, which the destination does not list: "
                   "\"{}\" can be added to boot_files under [arrivals] "
                   "in teleport.conf there, if the guests of every "
                   "paired host may read it",
                   path,
                   file,
                   file);
}

std::string why_refused(const std::string& path,
                        const config_member* member,
                        const json& value) {
  if (member == nullptr) {
    return path + " is no part of a guest's configuration that a teleport " +
           "knows";
  }
  switch (member->rule) {
    case member_rule::boot_file:
    case member_rule::script:
      return is_text(value)
                 ? why_not_listed(
                       path, member->rule, value.get_ref<const std::string&>())
                 : path + " names no file";
    case member_rule::refused:
    case member_rule::dom0:
    case member_rule::serial:
    case member_rule::pointer:
      return fmt::format(
          "{}= ({}) gives the guest something of this host, which a teleport "
          "does not carry: take it out of the configuration and start the "
          "guest anew",
          member->option.empty() ? member->name : member->option,
          path);
    default:
      return path + " holds what libxl does not write there";
  }
}

/// Builds the one object from the other, and notes what it refuses.
class config_builder {
 public:
  config_builder(const std::map<std::string, std::string>* paths,
                 const arrival_rules* rules)
      : paths_(paths), rules_(rules) {}

  json object(const json& from,
              std::span<const config_member> members,
              const std::string& path) {
    json built = json::object();
    if (!from.is_object()) {
      refused_.push_back(path + " is no object");
      return built;
    }
    for (const auto& [name, value] : from.items()) {
      const auto member =
          std::ranges::find(members, name, &config_member::name);
      const auto* known = member == members.end() ? nullptr : &*member;
      const auto at = path.empty() ? name : fmt::format("{}.{}", path, name);
      if (auto copy = build(value, known, at)) {
        built[name] = std::move(*copy);
      }
    }
    return built;
  }

  [[nodiscard]] std::vector<std::string>& refused() { return refused_; }
  [[nodiscard]] std::size_t mapped() const { return mapped_; }

 private:
  /// Nothing when the member is left out or refused.
  std::optional<json> build(const json& value,
                            const config_member* member,
                            const std::string& path) {
    if (member == nullptr) {
      // A release that knows it may take a false or a 0 for an order.
      if (!value.empty() && !is_one_of(value, {""})) {
        refused_.push_back(why_refused(path, member, value));
      }
      return std::nullopt;
    }
    if (is_off(value)) {
      return is_left_out(member->rule) ? std::nullopt : std::optional(value);
    }
    if (member->rule == member_rule::object) {
      return object(value, member->members, path);
    }
    if (member->rule == member_rule::list ||
        member->rule == member_rule::disks) {
      return list(value, *member, path);
    }
    if (!is_allowed(value, member->rule, rules_)) {
      refused_.push_back(why_refused(path, member, value));
      return std::nullopt;
    }
    return is_left_out(member->rule) ? std::nullopt : std::optional(value);
  }

  json list(const json& from,
            const config_member& member,
            const std::string& path) {
    json built = json::array();
    if (!from.is_array() || from.size() > max_entries) {
      refused_.push_back(
          fmt::format("{} is no list of at most {}", path, max_entries));
      return built;
    }
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto at = fmt::format("{}[{}]", path, i);
      json entry = object(from[i], member.members, at);
      if (member.rule == member_rule::disks && from[i].is_object()) {
        place(from[i], entry, at);
      }
      built.push_back(std::move(entry));
    }
    return built;
  }

  /// A disk at its new place; an empty drive has none, nor anything else.
  void place(const json& from, json& disk, const std::string& path) {
    json_fields fields(from);
    const auto vdev = fields.text("vdev", max_text);
    const auto old = fields.text_or_empty("pdev_path", max_text);
    if (fields.failed()) {
      refused_.push_back(path + ": " + *fields.failed());
      return;
    }
    if (old.empty()) {
      // libxl runs a script even for a drive without a disk.
      if (!fields.text_or_empty("script", max_text).empty()) {
        refused_.push_back(path + " is an empty drive with a script");
      }
      disk["format"] = "empty";
    }
    if (paths_ == nullptr) {
      return;
    }
    const auto place = paths_->find(vdev);
    if (place == paths_->end()) {
      if (!old.empty()) {
        refused_.push_back("disk " + vdev + " has no place at the destination");
      }
      return;
    }
    if (!place->second.starts_with('/')) {
      refused_.push_back("disk " + vdev + ": '" + place->second +
                         "' is not an absolute path");
    }
    disk["pdev_path"] = place->second;
    disk["backend"] = "phy";
    disk["format"] = "raw";
    ++mapped_;
  }

  const std::map<std::string, std::string>* paths_;
  const arrival_rules* rules_;
  std::vector<std::string> refused_;
  std::size_t mapped_ = 0;
};

error corrupt(const std::string& why) {
  return {errc::corrupt, "guest configuration: " + why};
}

error refusal(const std::string& why) {
  return {errc::bad_input, "guest configuration: " + why};
}

std::vector<std::string> unbuildable(const std::string& config_json,
                                     const arrival_rules* rules) {
  const auto config = parse_object(config_json, max_config_bytes);
  if (!config) {
    return {corrupt(config.error().context).context};
  }
  config_builder builder(nullptr, rules);
  static_cast<void>(builder.object(*config, config_members(), ""));
  return std::move(builder.refused());
}

/// What differs from what was offered, "" for nothing.
std::string difference(const guest_info& built, const guest_info& offered) {
  if (built.name != offered.name || built.uuid != offered.uuid) {
    return fmt::format("it is of {} ({}), offered was {} ({})",
                       built.name,
                       built.uuid,
                       offered.name,
                       offered.uuid);
  }
  if (built.type != offered.type) {
    return "it is a guest of another type than offered";
  }
  // What is offered is Xen's own limit, with libxl's slack of a MiB on top.
  if (built.max_memory_kib > offered.max_memory_kib) {
    return fmt::format("it has {} KiB of memory, offered were {}",
                       built.max_memory_kib,
                       offered.max_memory_kib);
  }
  if (built.vcpus > offered.vcpus) {
    return fmt::format(
        "it has {} vcpus, offered were {}", built.vcpus, offered.vcpus);
  }
  return {};
}

}  // namespace

std::vector<std::string> unbuildable_members(const std::string& config_json) {
  return unbuildable(config_json, nullptr);
}

std::vector<std::string> unbuildable_members(const std::string& config_json,
                                             const arrival_rules& rules) {
  return unbuildable(config_json, &rules);
}

result<std::string> build_config(
    const std::string& config_json,
    const guest_info& offered,
    const std::map<std::string, std::string>& paths,
    const arrival_rules& rules) {
  const auto config = parse_object(config_json, max_config_bytes);
  if (!config) {
    return corrupt(config.error().context);
  }
  config_builder builder(&paths, &rules);
  auto built = builder.object(*config, config_members(), "");
  if (!builder.refused().empty()) {
    return refusal(fmt::format("{}", fmt::join(builder.refused(), "; ")));
  }
  // Counted, not looked up: a vdev that is there twice is caught as well.
  if (builder.mapped() != paths.size()) {
    return refusal(fmt::format("{} disks have a place, but {} are in it",
                               paths.size(),
                               builder.mapped()));
  }
  auto text = dump(built);
  const auto guest = read_config(text);
  if (!guest) {
    return guest.error();
  }
  const auto other = difference(*guest, offered);
  if (!other.empty()) {
    return refusal(other);
  }
  return text;
}

}  // namespace teleport
