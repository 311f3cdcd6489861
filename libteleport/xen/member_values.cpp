// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/xen/member_values.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>

#include <fnmatch.h>

#include "libteleport/base/sentence.hpp"

namespace teleport {
namespace {

using nlohmann::json;

constexpr std::size_t max_text = 4095;
constexpr std::string_view script_folder = "/etc/xen/scripts/";

}  // namespace

bool is_one_of(const json& value,
               std::initializer_list<std::string_view> words) {
  return value.is_string() &&
         std::ranges::find(words, value.get_ref<const std::string&>()) !=
             words.end();
}

bool is_off(const json& value) {
  return value.is_null() || value.empty() || value == false || value == 0 ||
         is_one_of(value,
                   {"", "False", "<default>", "none", "disabled", "unknown"});
}

namespace {

bool is_text_of(const json& value, auto&& allows) {
  return value.is_string() &&
         value.get_ref<const std::string&>().size() <= max_text &&
         std::ranges::all_of(value.get_ref<const std::string&>(), allows);
}

bool is_letter_of_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("_.:+-").find(c) != std::string_view::npos;
}
bool is_letter_of_address(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0 ||
         std::string_view(".:/ ").find(c) != std::string_view::npos;
}
/// What begins like an option is none, but for a negative number.
bool is_word(const json& value) {
  if (!is_text_of(value, is_letter_of_word)) {
    return false;
  }
  const auto& text = value.get_ref<const std::string&>();
  return !text.starts_with('-') ||
         text.find_first_not_of("0123456789", 1) == std::string::npos;
}
bool is_harmless(const json& value) {
  return is_text_of(value, [](char) { return true; }) &&
         is_harmless_text(value.get_ref<const std::string&>());
}

bool is_flag(const json& value) {
  return value.is_boolean() || value.is_number_integer() ||
         is_one_of(value, {"True", "False", "<default>"});
}

/// The text's depth was limited when it was parsed.
bool is_plain(const json& value) {
  if (value.is_structured()) {
    return std::ranges::all_of(value,
                               [](const json& one) { return is_plain(one); });
  }
  return value.is_null() || is_flag(value) || is_word(value);
}

bool each_is_one_of(const json& value,
                    std::initializer_list<std::string_view> words) {
  if (!value.is_array()) {
    return is_one_of(value, words);
  }
  return std::ranges::all_of(
      value, [&](const json& one) { return is_one_of(one, words); });
}

bool is_script(const json& value, const arrival_rules* rules) {
  if (!is_harmless(value)) {
    return false;
  }
  std::string_view script = value.get_ref<const std::string&>();
  if (script.starts_with(script_folder)) {
    script.remove_prefix(script_folder.size());
  }
  return rules == nullptr || std::ranges::find(rules->nic_scripts, script) !=
                                 rules->nic_scripts.end();
}

}  // namespace

bool is_text(const json& value) {
  return is_harmless(value);
}

bool is_allowed(const json& value,
                member_rule rule,
                const arrival_rules* rules) {
  switch (rule) {
    case member_rule::number:
      return value.is_number_integer();
    case member_rule::flag:
      return is_flag(value);
    case member_rule::word:
      return is_word(value);
    case member_rule::address:
      return is_text_of(value, is_letter_of_address);
    case member_rule::text:
      return is_harmless(value);
    case member_rule::name:
      return is_harmless(value) &&
             is_text_of(value, [](char c) { return c != '/'; });
    case member_rule::plain:
      return is_plain(value);
    case member_rule::serial:
      return each_is_one_of(value, {"pty"});
    case member_rule::pointer:
      return each_is_one_of(value, {"tablet", "mouse", "keyboard"});
    case member_rule::boot_file:
      return is_harmless(value) &&
             (rules == nullptr ||
              may_boot_from(*rules, value.get_ref<const std::string&>()));
    case member_rule::script:
      return is_script(value, rules);
    case member_rule::dom0:
      return is_one_of(value, {"0", "Domain-0"});
    case member_rule::of_host:
      return true;
    case member_rule::refused:
    case member_rule::object:
    case member_rule::list:
    case member_rule::disks:
      break;
  }
  return false;
}

arrival_rules default_arrival_rules() {
  // Kernels alone of /boot: a ramdisk of this host may hold its keys.
  return {{"/boot/vmlinuz*",
           "/usr/lib/xen/boot/*",
           "/usr/lib/xen-*/boot/*",
           "/usr/lib/xen/bin/pygrub",
           "/usr/lib/xen-*/bin/pygrub",
           "/usr/lib/grub-xen/*",
           "/usr/share/seabios/*",
           "/usr/share/ovmf/*",
           "/usr/share/OVMF/*"},
          {"vif-bridge", "vif-openvswitch", "vif-nat", "vif-route"}};
}

bool may_boot_from(const arrival_rules& rules, std::string_view path) {
  // pygrub is what xl.cfg(5) calls it; libxl finds its own.
  if (path == "pygrub") {
    return true;
  }
  const std::string whole(path);
  if (!path.starts_with('/') || path.find("//") != std::string_view::npos ||
      (whole + '/').find("/../") != std::string::npos ||
      (whole + '/').find("/./") != std::string::npos) {
    return false;
  }
  return std::ranges::any_of(rules.boot_files, [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), whole.c_str(), FNM_PATHNAME) == 0;
  });
}

}  // namespace teleport
