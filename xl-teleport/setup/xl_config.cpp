// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/xl_config.hpp"

#include <fmt/format.h>

#include "libteleport/xen/xl_assignments.hpp"

namespace teleport {

namespace {

constexpr std::string_view section_begin =
    "# xl-teleport: written when the guest arrived here. What follows counts, "
    "not what is above.\n";
constexpr std::string_view section_end = "# xl-teleport: end\n";

constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first);
}

/// One of xl-disk-configuration(5): the target last, for it may hold commas.
std::string spec_of(const start_disk& disk) {
  // libxl gives a file to QEMU unless a script makes a device of it.
  return fmt::format("format=raw, vdev={}, access={}{}{}, target={}",
                     disk.vdev,
                     disk.read_only ? "ro" : "rw",
                     disk.is_cdrom ? ", devtype=cdrom" : "",
                     disk.is_file        ? ", script=block-teleport"
                     : disk.path.empty() ? ""
                                         : ", backendtype=phy",
                     disk.path);
}

}  // namespace

std::optional<std::string> text_value(std::string_view config,
                                      std::string_view key) {
  std::optional<std::string> value;
  while (!config.empty()) {
    const std::size_t end = config.find('\n');
    std::string_view line = trimmed(config.substr(0, end));
    config.remove_prefix(end == std::string_view::npos ? config.size()
                                                       : end + 1);
    if (!line.starts_with(key)) {
      continue;
    }
    line = trimmed(line.substr(key.size()));
    if (!line.starts_with('=')) {
      continue;
    }
    line = trimmed(line.substr(1));
    if (line.empty() || (line[0] != '"' && line[0] != '\'')) {
      continue;
    }
    const std::size_t close = line.find(line[0], 1);
    if (close != std::string_view::npos) {
      value = std::string(line.substr(1, close - 1));
    }
  }
  return value;
}

bool is_config_of(std::string_view config,
                  std::string_view name,
                  std::string_view uuid) {
  const auto its_uuid = text_value(config, "uuid");
  return its_uuid ? *its_uuid == uuid : text_value(config, "name") == name;
}

std::string without_section(std::string_view config) {
  const std::size_t begin = config.find(section_begin);
  if (begin == std::string_view::npos) {
    return std::string(config);
  }
  const std::size_t end = config.find(section_end, begin);
  std::string text(config.substr(0, begin));
  if (end != std::string_view::npos) {
    text += config.substr(end + section_end.size());
  }
  return text;
}

std::string with_disks(std::string_view config,
                       const std::string& uuid,
                       const std::vector<start_disk>& disks) {
  std::string text = without_section(config);
  if (!text.empty() && text.back() != '\n') {
    text += '\n';
  }
  text += section_begin;
  text += fmt::format("uuid = {}\ndisk = [\n", xl_quoted(uuid));
  for (const start_disk& disk : disks) {
    text += fmt::format("  {},\n", xl_quoted(spec_of(disk)));
  }
  text += "]\n";
  return text + std::string(section_end);
}

}  // namespace teleport
