// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/settings.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "libteleport/base/folder.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

/// Sets one key; returns what was expected when the value is not that.
using setter =
    std::function<std::optional<std::string>(settings&, const toml::node&)>;

constexpr const char* absolute_path = "an absolute path in quotes";

setter folder(std::string settings::*field) {
  return [field](settings& out,
                 const toml::node& node) -> std::optional<std::string> {
    const auto value = node.value_exact<std::string>();
    if (!value || !is_absolute_path(*value)) {
      return absolute_path;
    }
    out.*field = *value;
    return std::nullopt;
  };
}

/// A path that may be left out.
setter path_or_none(std::string settings::*field) {
  return [field](settings& out,
                 const toml::node& node) -> std::optional<std::string> {
    const auto value = node.value_exact<std::string>();
    if (!value || (!value->empty() && !is_absolute_path(*value))) {
      return R"(an absolute path in quotes, or "" for none)";
    }
    out.*field = *value;
    return std::nullopt;
  };
}

std::optional<std::string> set_address(settings& out, const toml::node& node) {
  const auto value = node.value_exact<std::string>();
  in6_addr ignored{};
  if (!value || (::inet_pton(AF_INET, value->c_str(), &ignored) != 1 &&
                 ::inet_pton(AF_INET6, value->c_str(), &ignored) != 1)) {
    return R"(an IP address of this host, or "::" for all of them)";
  }
  out.listen_address = *value;
  return std::nullopt;
}

setter key_file(std::string key_files::*field) {
  return [field](settings& out,
                 const toml::node& node) -> std::optional<std::string> {
    const auto value = node.value_exact<std::string>();
    if (!value || !is_absolute_path(*value)) {
      return absolute_path;
    }
    out.keys.*field = *value;
    return std::nullopt;
  };
}

setter store_text(std::string store_config::*field) {
  return [field](settings& out,
                 const toml::node& node) -> std::optional<std::string> {
    const auto value = node.value_exact<std::string>();
    if (!value) {
      return "a text in quotes";
    }
    out.store.*field = *value;
    return std::nullopt;
  };
}

std::optional<std::string> set_port(settings& out, const toml::node& node) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < 1 || *value > 65535) {
    return "a number from 1 to 65535";
  }
  out.port = static_cast<std::uint16_t>(*value);
  return std::nullopt;
}

std::optional<std::string> set_kind(settings& out, const toml::node& node) {
  const std::string given = node.value_exact<std::string>().value_or("");
  std::string words;
  for (const disk_kind_entry* const kind : disk_kinds) {
    for (const store_word& known : kind->words) {
      if (known.word == given) {
        out.store.kind = kind->kind;
        out.store.thin = known.thin;
        return std::nullopt;
      }
      words += fmt::format("{}\"{}\"", words.empty() ? "" : ", ", known.word);
    }
  }
  return "one of " + words;
}

setter size(std::uint64_t settings::*field, const char* expected) {
  return
      [field, expected](settings& out,
                        const toml::node& node) -> std::optional<std::string> {
        const auto value =
            read_bytes(node.value_exact<std::string>().value_or("none"));
        if (!value) {
          return expected;
        }
        out.*field = *value;
        return std::nullopt;
      };
}

std::optional<std::string> set_donors(settings& out, const toml::node& node) {
  const std::string word = node.value_exact<std::string>().value_or("");
  if (word != "listed" && word != "auto") {
    return R"("listed" or "auto")";
  }
  out.index_donors =
      word == "auto" ? donor_choice::automatic : donor_choice::listed;
  return std::nullopt;
}

/// The texts of a list, each of them one that `allows` takes.
std::optional<std::vector<std::string>> read_list(const toml::node& node,
                                                  auto&& allows) {
  const toml::array* const list = node.as_array();
  if (list == nullptr) {
    return std::nullopt;
  }
  std::vector<std::string> texts;
  for (const toml::node& entry : *list) {
    const auto text = entry.value_exact<std::string>();
    if (!text || !allows(*text)) {
      return std::nullopt;
    }
    texts.push_back(*text);
  }
  return texts;
}

/// An empty list would be nobody to one reader and everybody to another.
std::optional<std::string> set_from(settings& out, const toml::node& node) {
  network_list networks;
  const auto texts = read_list(node, [&networks](const std::string& text) {
    return networks.add(text).has_value();
  });
  if (!texts || texts->empty()) {
    return R"(a list of networks, as ["10.0.0.0/8", "fd00::/8"], with no bit )"
           "behind their lengths";
  }
  out.listen_from = std::move(networks);
  return std::nullopt;
}

std::optional<std::string> set_folders(settings& out, const toml::node& node) {
  const auto paths = read_list(node, is_absolute_path);
  if (!paths) {
    return R"(a list of absolute paths, as ["/var/lib/xen/images"])";
  }
  std::vector<std::string> folders;
  for (const std::string& path : *paths) {
    std::string folder = std::filesystem::path(path).lexically_normal();
    if (folder.size() > 1 && folder.ends_with('/')) {
      folder.pop_back();
    }
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      folders.push_back(std::move(folder));
    }
  }
  out.index_folders = std::move(folders);
  return std::nullopt;
}

std::optional<std::string> set_aliases(settings& out, const toml::node& node) {
  const auto pairs = read_list(node, [](const std::string& text) {
    const auto equals = text.find('=');
    return equals != std::string::npos && equals > 0 &&
           equals + 1 < text.size();
  });
  if (!pairs) {
    return R"(a list of names, as ["10.0.0.2=host2"])";
  }
  for (const std::string& pair : *pairs) {
    const auto equals = pair.find('=');
    out.keys.aliases[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return std::nullopt;
}

std::optional<std::string> set_boot_files(settings& out,
                                          const toml::node& node) {
  auto patterns = read_list(node, is_absolute_path);
  if (!patterns) {
    return R"(a list of absolute paths or patterns, as ["/boot/vmlinuz*"])";
  }
  out.arrivals.boot_files = std::move(*patterns);
  return std::nullopt;
}

std::optional<std::string> set_nic_scripts(settings& out,
                                           const toml::node& node) {
  auto names = read_list(node, [](const std::string& text) {
    return !text.empty() && text.find('/') == std::string::npos;
  });
  if (!names) {
    return R"(a list of names of files in /etc/xen/scripts, as ["vif-bridge"])";
  }
  out.arrivals.nic_scripts = std::move(*names);
  return std::nullopt;
}

std::optional<std::string> set_keep_fresh(settings& out,
                                          const toml::node& node) {
  const auto value = node.value_exact<bool>();
  if (!value) {
    return "true or false, without quotes";
  }
  out.index_keep_fresh = *value;
  return std::nullopt;
}

/// More than the kernel could run programs for.
constexpr std::int64_t most_followed = 500;

std::optional<std::string> set_max_followed(settings& out,
                                            const toml::node& node) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < 0 || *value > most_followed) {
    return fmt::format("a number of disks from 0 to {}", most_followed);
  }
  out.index_max_followed = static_cast<std::size_t>(*value);
  return std::nullopt;
}

/// Upper limit of quiet_seconds: an index that is a day behind is not fresh.
constexpr std::int64_t longest_quiet = 86400;

std::optional<std::string> set_quiet(settings& out, const toml::node& node) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < 1 || *value > longest_quiet) {
    return fmt::format("a number of seconds from 1 to {}", longest_quiet);
  }
  out.index_quiet = std::chrono::seconds(*value);
  return std::nullopt;
}

/// Ten years; and as many files as a folder is read with in a second.
constexpr std::int64_t longest_history = 3650;
constexpr std::int64_t largest_history = 20'000;

std::optional<std::string> set_history_days(settings& out,
                                            const toml::node& node) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < 1 || *value > longest_history) {
    return fmt::format("a number of days from 1 to {}", longest_history);
  }
  out.history.age = std::chrono::days(*value);
  return std::nullopt;
}

std::optional<std::string> set_history_entries(settings& out,
                                               const toml::node& node) {
  const auto value = node.value_exact<std::int64_t>();
  if (!value || *value < 0 || *value > largest_history) {
    return fmt::format("a number of jobs from 0 to {}", largest_history);
  }
  out.history.entries = static_cast<std::size_t>(*value);
  return std::nullopt;
}

std::optional<std::string> set_bwlimit(settings& out, const toml::node& node) {
  const std::string expected = fmt::format(
      R"({}, or a list as ["08:00-18:00 20Mbit", "100Mbit"])", rate_examples);
  link_plan plan;
  const auto add = [&plan](const toml::node& entry) {
    const auto text = entry.value_exact<std::string>();
    return text && plan.add(*text);
  };
  const toml::array* const list = node.as_array();
  const bool good = list == nullptr
                        ? add(node)
                        : std::all_of(list->begin(), list->end(), add);
  if (!good) {
    return expected;
  }
  out.bwlimit = std::move(plan);
  return std::nullopt;
}

std::optional<std::string> set_connections(settings& out,
                                           const toml::node& node) {
  const auto count = node.value_exact<std::int64_t>();
  if (node.value_exact<std::string>() == "auto") {
    out.link.connections = 0;
  } else if (count && *count >= 1 && *count <= most_lanes) {
    out.link.connections = static_cast<unsigned>(*count);
  } else {
    return fmt::format("\"auto\" or a number from 1 to {}", most_lanes);
  }
  return std::nullopt;
}

/// As long as Linux's names of them may be.
constexpr std::size_t longest_control = 15;

std::optional<std::string> set_congestion_control(settings& out,
                                                  const toml::node& node) {
  const auto name = node.value_exact<std::string>();
  if (!name || name->empty() || name->size() > longest_control ||
      name->find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") !=
          std::string::npos) {
    return R"("auto" or a name such as "bbr" or "cubic")";
  }
  out.link.congestion_control = *name == "auto" ? "" : *name;
  return std::nullopt;
}

const std::map<std::string, setter>& setters() {
  static const std::map<std::string, setter> all = {
      {"listen.address", set_address},
      {"listen.port", set_port},
      {"listen.from", set_from},
      {"keys.cert", key_file(&key_files::certificate)},
      {"keys.key", key_file(&key_files::key)},
      {"peers.dir", key_file(&key_files::peers)},
      {"peers.aliases", set_aliases},
      {"store.kind", set_kind},
      {"store.path", store_text(&store_config::path)},
      {"store.pool", store_text(&store_config::thin_pool)},
      {"store.reserve",
       size(&settings::store_reserve,
            "a size such as \"10 GiB\", or \"0\" for none")},
      {"index.path", folder(&settings::index_path)},
      {"index.max_size",
       size(&settings::index_max_bytes, "a size such as \"64 GiB\"")},
      {"index.donors", set_donors},
      {"index.folders", set_folders},
      {"index.keep_fresh", set_keep_fresh},
      {"index.max_followed", set_max_followed},
      {"index.scan_rate",
       size(&settings::index_scan_rate,
            "bytes a second such as \"100 MiB\", or \"0\" for no limit")},
      {"index.quiet_seconds", set_quiet},
      {"link.bwlimit", set_bwlimit},
      {"link.connections", set_connections},
      {"link.congestion_control", set_congestion_control},
      {"state.path", folder(&settings::state_path)},
      {"state.run", folder(&settings::run_path)},
      {"history.days", set_history_days},
      {"history.entries", set_history_entries},
      {"arrivals.boot_files", set_boot_files},
      {"arrivals.nic_scripts", set_nic_scripts},
      {"hooks.at_gate", path_or_none(&settings::at_gate_hook)},
      {"debug.record_stream", path_or_none(&settings::record_stream)},
  };
  return all;
}

error wrong(const std::string& path,
            const toml::node& node,
            std::string_view what) {
  return {errc::bad_input,
          fmt::format("{} line {}: {}", path, node.source().begin.line, what)};
}

bool is_section(std::string_view name) {
  return std::ranges::any_of(setters(), [name](const auto& known) {
    return known.first.starts_with(std::string(name) + ".");
  });
}

/// A folder that is opened is an empty file to a reader of files.
result<void> check_readable(const std::string& path) {
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    return system_error(errno, "read the configuration " + path);
  }
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored)
             ? system_error(EISDIR, "read the configuration " + path)
             : result<void>();
}

}  // namespace

result<settings> load_settings(const std::string& path, bool named) {
  settings out;
  if (std::error_code ignored;
      !named && std::filesystem::status(path, ignored).type() ==
                    std::filesystem::file_type::not_found) {
    return out;
  }
  if (const auto readable = check_readable(path); !readable) {
    return readable.error();
  }
  toml::table table;
  try {
    table = toml::parse_file(path);
  } catch (const toml::parse_error& failure) {
    return error(errc::bad_input,
                 fmt::format("{} line {}: {}",
                             path,
                             failure.source().begin.line,
                             failure.description()));
  }
  for (const auto& [section, content] : table) {
    const auto* keys = content.as_table();
    if (keys == nullptr) {
      return wrong(
          path,
          content,
          fmt::format("'{}' stands outside any [section]", section.str()));
    }
    if (!is_section(section.str())) {
      return wrong(
          path, content, fmt::format("unknown section [{}]", section.str()));
    }
    for (const auto& [key, value] : *keys) {
      const auto name = fmt::format("{}.{}", section.str(), key.str());
      const auto set = setters().find(name);
      if (set == setters().end()) {
        return wrong(path, value, fmt::format("unknown key '{}'", name));
      }
      if (const auto expected = set->second(out, value)) {
        return wrong(
            path, value, fmt::format("'{}' must be {}", name, *expected));
      }
    }
  }
  // What only several keys together can get wrong.
  if (const auto fault = entry_of(out.store.kind).check_store(out.store)) {
    const toml::node* const section = table.get("store");
    return section == nullptr
               ? error(errc::bad_input, fmt::format("{}: {}", path, *fault))
               : wrong(path, *section, *fault);
  }
  return out;
}

}  // namespace teleport
