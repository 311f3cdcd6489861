// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/xen/start_config.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/xen/member_values.hpp"
#include "libteleport/xen/start_options.hpp"
#include "libteleport/xen/xl_assignments.hpp"

namespace teleport {
namespace {

using nlohmann::json;
using kind = xl_value::kind;

constexpr std::string_view head =
    "# xl-teleport: made anew of the options that the guest brought along.\n";
constexpr std::size_t max_named = 32;
constexpr std::size_t max_shown = 64;
constexpr std::string_view blanks = " \t";

/// As strtol() with base 0 reads it, which xl calls for numbers and for texts.
std::optional<std::uint64_t> number_of(std::string_view text) {
  const bool hex = text.starts_with("0x");
  text.remove_prefix(hex ? 2 : 0);
  std::uint64_t number = 0;
  const auto [end, failed] = std::from_chars(
      text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  return failed == std::errc() && end == text.data() + text.size()
             ? std::optional(number)
             : std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

const start_option* option_of(std::span<const start_option> table,
                              std::string_view key) {
  const auto known = std::ranges::find(table, key, &start_option::key);
  return known == table.end() ? nullptr : &*known;
}

class start_config_builder {
 public:
  explicit start_config_builder(const arrival_rules& rules) : rules_(rules) {}

  void add(const xl_assignment& given) {
    const start_option* option = option_of(start_options(), given.key);
    if (option == nullptr) {
      leave_out(given.key);
      return;
    }
    if (option->rule == member_rule::of_host ||
        (option->rule == member_rule::refused && is_off(given.value))) {
      return;
    }
    const auto value = option->rule == member_rule::list
                           ? devices(given.value, *option)
                           : plain(given.value, *option);
    if (value) {
      set(given.key, *value);
    }
  }

  void set(std::string_view key, std::string_view value) {
    built_.text += fmt::format("{} = {}\n", key, value);
  }
  void add_text(std::string_view text) { built_.text += text; }

  [[nodiscard]] start_config finish() {
    if (!built_.left_out.empty()) {
      built_.text += fmt::format(
          "# xl-teleport: left out, as no host takes it from another: {}\n",
          fmt::join(built_.left_out, ", "));
    }
    return std::move(built_);
  }

 private:
  static bool is_off(const xl_value& value) {
    return value.is == kind::list ? value.entries.empty()
                                  : value.text.empty() || value.text == "0" ||
                                        value.text == "disabled";
  }

  /// The first of them are named: a log's line and a comment are bounded.
  void leave_out(const std::string& name) {
    const std::string shown = name.substr(0, max_shown);
    if (built_.left_out.size() < max_named &&
        std::ranges::find(built_.left_out, shown) == built_.left_out.end()) {
      built_.left_out.push_back(shown);
    }
  }

  /// Numbers are allowed where xl reads a text's number, and the reverse.
  [[nodiscard]] bool allows(const start_option& option,
                            const xl_value& value) const {
    if (option.rule == member_rule::refused) {
      return false;
    }
    if (option.rule == member_rule::number ||
        option.rule == member_rule::flag) {
      return number_of(value.text).has_value();
    }
    std::string text = value.text;
    std::erase_if(text, [&](char c) {
      return option.letters.find(c) != std::string_view::npos;
    });
    // Relative, xl's "uefi" or a file of Xen's own folder.
    const bool is_bare = option.key == "firmware" &&
                         is_allowed(json(text), member_rule::word, &rules_);
    return is_bare || text.empty() ||
           is_allowed(json(text), option.rule, &rules_);
  }

  std::optional<std::string> plain(const xl_value& value,
                                   const start_option& option) {
    const auto copy = copied(value, option);
    if (!copy) {
      leave_out(std::string(option.key));
    }
    return copy;
  }

  [[nodiscard]] std::optional<std::string> copied(const xl_value& value,
                                                  const start_option& option) {
    if (value.is != kind::list) {
      if (!allows(option, value)) {
        return std::nullopt;
      }
      return value.is == kind::number ? value.text : xl_quoted(value.text);
    }
    std::string list = "[ ";
    for (const xl_value& entry : value.entries) {
      const auto copy =
          entry.is == kind::list ? std::nullopt : copied(entry, option);
      if (!copy) {
        return std::nullopt;
      }
      list += *copy + ", ";
    }
    return list + "]";
  }

  /// A list of "KEY=VALUE,KEY=VALUE".
  std::optional<std::string> devices(const xl_value& value,
                                     const start_option& option) {
    std::string list = "[ ";
    for (const xl_value& entry : value.entries) {
      if (entry.is != kind::string) {
        leave_out(std::string(option.key));
        return std::nullopt;
      }
      list += xl_quoted(device(entry.text, option)) + ", ";
    }
    if (value.is != kind::list) {
      leave_out(std::string(option.key));
      return std::nullopt;
    }
    return list + "]";
  }

  std::string device(std::string_view spec, const start_option& option) {
    std::string built;
    while (!spec.empty()) {
      const auto end = std::min(spec.find(','), spec.size());
      const auto one = trimmed(spec.substr(0, end));
      spec.remove_prefix(std::min(end + 1, spec.size()));
      const auto equals = one.find('=');
      if (one.empty()) {
        continue;
      }
      const auto key = trimmed(one.substr(0, equals));
      const xl_value value{kind::string,
                           std::string(equals == std::string_view::npos
                                           ? std::string_view()
                                           : trimmed(one.substr(equals + 1)))};
      const start_option* part = option_of(option.parts, key);
      if (part == nullptr) {
        // Its own words are not told on: they may hold anything.
        leave_out(fmt::format("a part of {}", option.key));
      } else if (!allows(*part, value)) {
        if (!(part->rule == member_rule::refused && is_off(value))) {
          leave_out(fmt::format("{}.{}", option.key, key));
        }
      } else if (part->rule != member_rule::dom0) {
        built +=
            fmt::format("{}{}={}", built.empty() ? "" : ",", key, value.text);
      }
    }
    return built;
  }

  const arrival_rules& rules_;
  start_config built_;
};

/// A number of the file's, no more than the limit; the limit where it has none.
std::uint64_t at_most(const std::vector<xl_assignment>& given,
                      std::string_view key,
                      std::uint64_t limit) {
  const auto found = std::ranges::find(given, key, &xl_assignment::key);
  const auto number =
      found == given.end() ? std::nullopt : number_of(found->value.text);
  return number && *number != 0 ? std::min(*number, limit) : limit;
}

}  // namespace

result<start_config> build_start_config(std::string_view from,
                                        const guest_info& offered,
                                        const arrival_rules& rules) {
  const auto given = read_xl_assignments(from);
  if (!given) {
    return given.error();
  }
  constexpr std::uint64_t kib_of_mib = 1024;
  start_config_builder builder(rules);
  builder.add_text(head);
  builder.set("name", xl_quoted(offered.name));
  builder.set("type", xl_quoted(offered.type));
  const auto has = [&](std::string_view key) {
    return std::ranges::find(*given, key, &xl_assignment::key) != given->end();
  };
  const auto write_both = [&](std::string_view now,
                              std::string_view most,
                              std::uint64_t limit) {
    const auto at_first = at_most(*given, now, limit);
    builder.set(now, fmt::format("{}", at_first));
    if (has(most)) {
      builder.set(
          most,
          fmt::format("{}", std::max(at_first, at_most(*given, most, limit))));
    }
  };
  write_both("memory", "maxmem", offered.max_memory_kib / kib_of_mib);
  write_both("vcpus", "maxvcpus", offered.vcpus);
  for (const xl_assignment& one : *given) {
    builder.add(one);
  }
  return builder.finish();
}

}  // namespace teleport
