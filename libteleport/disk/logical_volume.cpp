// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/logical_volume.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <utility>

#include <sys/stat.h>

#include "libteleport/base/process.hpp"
#include "libteleport/disk/block_sysfs.hpp"

namespace teleport {

namespace {

/// Names longer than a store's own are LVM's matter, not ours.
bool is_plain_name(std::string_view name) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
  return !name.empty() && name.size() < 128 && name[0] != '-' && name != "." &&
         name != ".." &&
         name.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

std::optional<volume_name> parse_volume_path(std::string_view path) {
  constexpr std::string_view prefix = "/dev/";
  if (path.substr(0, prefix.size()) != prefix) {
    return std::nullopt;
  }
  path.remove_prefix(prefix.size());
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) {
    return std::nullopt;
  }
  volume_name name{std::string(path.substr(0, slash)),
                   std::string(path.substr(slash + 1))};
  if (name.group == "mapper") {
    return parse_mapper_name(name.volume);
  }
  if (!is_plain_name(name.group) || !is_plain_name(name.volume)) {
    return std::nullopt;
  }
  return name;
}

std::optional<volume_name> parse_mapper_name(std::string_view name) {
  volume_name parsed;
  bool in_volume = false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool doubled =
        name[i] == '-' && i + 1 < name.size() && name[i + 1] == '-';
    if (name[i] == '-' && !doubled) {
      if (in_volume) {
        return std::nullopt;  // a third part: a layer of LVM's own
      }
      in_volume = true;
      continue;
    }
    i += doubled ? 1 : 0;
    (in_volume ? parsed.volume : parsed.group) += name[i];
  }
  if (!is_plain_name(parsed.group) || !is_plain_name(parsed.volume)) {
    return std::nullopt;
  }
  return parsed;
}

std::string renamable_path(const std::string& device) {
  struct stat about {};
  if (::stat(device.c_str(), &about) != 0) {
    return device;
  }
  const std::string by_uuid =
      "/dev/disk/by-id/dm-uuid-" +
      block_attribute(numbers_of(about.st_rdev), "dm/uuid");
  struct stat found {};
  if (::stat(by_uuid.c_str(), &found) == 0 && S_ISBLK(found.st_mode) &&
      found.st_rdev == about.st_rdev) {
    return by_uuid;
  }
  std::error_code failed;
  const auto node = std::filesystem::canonical(device, failed);
  return failed ? device : node.string();
}

result<std::optional<volume_name>> volume_of_device(const std::string& device) {
  struct stat about {};
  if (::stat(device.c_str(), &about) != 0) {
    return system_error(errno, device);
  }
  if (!S_ISBLK(about.st_mode)) {
    return std::optional<volume_name>();
  }
  const std::string numbers = numbers_of(about.st_rdev);
  // "LVM-", two identifiers of 32 characters, and for hidden parts a suffix.
  const std::string uuid = block_attribute(numbers, "dm/uuid");
  if (uuid.substr(0, 4) != "LVM-" || uuid.size() != 4 + 64) {
    return std::optional<volume_name>();
  }
  return parse_mapper_name(block_attribute(numbers, "dm/name"));
}

errc lvm_failure(std::string_view message) {
  // LVM ends with 5 whatever went wrong; its words, in the C locale, tell.
  struct sentence {
    std::string_view part;
    errc kind;
  };
  constexpr std::array<sentence, 6> sentences{{
      {"ot found", errc::not_found},
      {"Failed to find", errc::not_found},
      {"already exists", errc::busy},
      {"in use", errc::busy},
      {"nsufficient free space", errc::no_space},
      {"nsufficient suitable", errc::no_space},
  }};
  for (const sentence& one : sentences) {
    if (message.find(one.part) != std::string_view::npos) {
      return one.kind;
    }
  }
  return errc::system;
}

result<std::string> run_lvm(const std::vector<std::string>& arguments) {
  program_options options;
  // LVM waits for its locks and for udev; a busy host takes its time.
  options.timeout = std::chrono::minutes(2);
  auto text = run_program(arguments, options);
  if (text) {
    return text;
  }
  error cause = text.error();
  if (cause.code == errc::not_found) {
    return error(errc::unsupported,
                 "LVM is not installed: no program " + arguments.front());
  }
  if (cause.code == errc::system) {
    cause.code = lvm_failure(cause.context);
  }
  return cause;
}

result<std::vector<std::string>> ask_lvm(const std::string& command,
                                         const std::string& columns,
                                         const std::string& name) {
  const auto text = run_lvm({command,
                             "--noheadings",
                             "--nosuffix",
                             "--units",
                             "b",
                             "--separator",
                             "|",
                             "--options",
                             columns,
                             name});
  if (!text) {
    return text.error();
  }
  std::vector<std::string> fields(1);
  for (const char c : text->substr(0, text->find('\n'))) {
    if (c == '|') {
      fields.emplace_back();
    } else if (c != ' ' || !fields.back().empty()) {
      fields.back() += c;
    }
  }
  const auto wanted = static_cast<std::size_t>(
      1 + std::count(columns.begin(), columns.end(), ','));
  if (fields.size() != wanted) {
    return error(errc::system,
                 command + " " + name + ": not the " + std::to_string(wanted) +
                     " columns asked for: " + *text);
  }
  return fields;
}

result<std::uint64_t> bytes_from_lvm(const std::string& column) {
  std::uint64_t value = 0;
  const char* const end = column.data() + column.size();
  const auto [after, failed] = std::from_chars(column.data(), end, value);
  if (failed != std::errc() || after != end) {
    return error(errc::system, "LVM gave '" + column + "' for a size");
  }
  return value;
}

result<bool> volume_exists(const volume_name& name) {
  const auto found = ask_lvm("lvs", "lv_name", name.argument());
  if (!found && found.error().code != errc::not_found) {
    return found.error();
  }
  return found.has_value();
}

result<void> activate_volume(const volume_name& name) {
  // Thin snapshots and shadows may be set to be left out of activation.
  const auto done = run_lvm({"lvchange",
                             "--activate",
                             "y",
                             "--ignoreactivationskip",
                             name.argument()});
  return done ? result<void>() : result<void>(done.error());
}

result<void> rename_volume(const volume_name& from, const std::string& to) {
  const auto done = run_lvm({"lvrename", from.group, from.volume, to});
  return done ? result<void>() : result<void>(done.error());
}

result<void> check_pool_zeroes(const std::string& pool) {
  const auto columns = ask_lvm("lvs", "zero", pool);
  if (!columns) {
    return columns.error();
  }
  if (columns->at(0) == "zero" || columns->at(0) == "1") {
    return {};
  }
  return error(errc::unsupported,
               "thin pool " + pool + " does not zero new chunks, so that old " +
                   "contents could show up in a disk: run 'lvchange -Z y " +
                   pool + "'");
}

}  // namespace teleport
