// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/config.cpp: see config.hpp. The field names are those of
// libxl_types.idl, as libxl_domain_config_to_json writes them: what has its
// default value is left out.

#include "libteleport/xen/config.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/json_fields.hpp"

namespace teleport {
namespace {

using nlohmann::json;

constexpr std::size_t max_text = 4095;
constexpr std::size_t max_devices = 256;

error corrupt(const std::string& why) {
  return {errc::corrupt, "guest configuration: " + why};
}

/// A flag that libxl writes as true, as 1 (integers) or as "True" (defbool).
bool is_set(const json_fields& in, const char* name) {
  const json* value = in.find(name);
  if (value == nullptr) {
    return false;
  }
  return (value->is_boolean() && value->get<bool>()) ||
         (value->is_number_integer() && value->get<std::int64_t>() != 0) ||
         (value->is_string() && value->get_ref<const std::string&>() == "True");
}

bool has_entries(const json& config, const char* name) {
  const auto at = config.find(name);
  return at != config.end() && at->is_array() && !at->empty();
}

/// The depth was limited when the text was parsed.
void erase_passwords(json& value) {
  if (value.is_object()) {
    value.erase("passwd");
  }
  if (value.is_structured()) {
    for (json& one : value) {
      erase_passwords(one);
    }
  }
}

guest_disk read_disk(json_fields& in) {
  guest_disk disk;
  disk.vdev = in.text("vdev", max_text);
  disk.configured_path = in.text_or_empty("pdev_path", max_text);
  disk.read_only = !is_set(in, "readwrite");
  disk.is_cdrom = is_set(in, "is_cdrom");
  disk.backend = in.text_or_empty("backend", max_text);
  if (disk.backend.empty()) {
    disk.backend = "unknown";
  }
  return disk;
}

void add_path(std::vector<std::string>& paths, std::string path) {
  if (!path.empty() && path.front() == '/' &&
      std::find(paths.begin(), paths.end(), path) == paths.end()) {
    paths.push_back(std::move(path));
  }
}

void read_boot_files(json_fields& build, guest_info& guest) {
  for (const char* name : {"kernel", "ramdisk", "device_tree", "bootloader"}) {
    add_path(guest.boot_files, build.text_or_empty(name, max_text));
  }
  for (const char* kind : {"type.hvm", "type.pv", "type.pvh"}) {
    const json* of_type = build.find(kind);
    if (of_type == nullptr || !of_type->is_object()) {
      continue;
    }
    json_fields fields(*of_type);
    for (const char* name : {"kernel",
                             "ramdisk",
                             "bootloader",
                             "firmware",
                             "system_firmware",
                             "smbios_firmware",
                             "acpi_firmware",
                             "pvshim_path"}) {
      add_path(guest.boot_files, fields.text_or_empty(name, max_text));
    }
    if (fields.failed()) {
      build.fail(*fields.failed());
    }
  }
}

result<void> read_devices(const json& config, guest_info& guest) {
  json_fields top(config);
  if (top.find("disks") != nullptr) {
    for (const json& entry : top.list("disks", max_devices)) {
      json_fields fields(entry);
      guest.disks.push_back(read_disk(fields));
      if (fields.failed()) {
        top.fail("disks: " + *fields.failed());
      }
    }
  }
  if (top.find("nics") != nullptr) {
    for (const json& entry : top.list("nics", max_devices)) {
      json_fields fields(entry);
      std::string bridge = fields.text_or_empty("bridge", max_text);
      if (fields.failed()) {
        top.fail("nics: " + *fields.failed());
      }
      if (!bridge.empty() &&
          std::find(guest.bridges.begin(), guest.bridges.end(), bridge) ==
              guest.bridges.end()) {
        guest.bridges.push_back(std::move(bridge));
      }
    }
  }
  for (const char* kind : {"pcidevs", "usbdevs", "dtdevs", "rdms"}) {
    guest.has_passthrough = guest.has_passthrough || has_entries(config, kind);
  }
  if (top.failed()) {
    return corrupt(*top.failed());
  }
  return {};
}

}  // namespace

result<guest_info> read_config(const std::string& config_json) {
  const auto config = parse_object(config_json, max_config_bytes);
  if (!config) {
    return corrupt(config.error().context);
  }
  const auto c_info = config->find("c_info");
  const auto b_info = config->find("b_info");
  if (c_info == config->end() || b_info == config->end()) {
    return corrupt("c_info or b_info is missing");
  }
  guest_info guest;
  guest.config_json = config_json;
  json_fields create(*c_info);
  guest.type = create.text("type", 15);
  guest.name = create.text("name", max_text);
  guest.uuid = create.text("uuid", 36);
  json_fields build(*b_info);
  guest.max_memory_kib = build.number<std::uint64_t>("max_memkb");
  guest.vcpus = build.number_or<unsigned>("max_vcpus", 1);
  read_boot_files(build, guest);
  for (const auto* fields : {&create, &build}) {
    if (fields->failed()) {
      return corrupt(*fields->failed());
    }
  }
  if (auto r = read_devices(*config, guest); !r) {
    return r.error();
  }
  return guest;
}

std::vector<std::string> migration_vetoes(const std::string& config_json) {
  const auto config = parse_object(config_json, max_config_bytes);
  std::vector<std::string> vetoes;
  if (!config) {
    return vetoes;
  }
  const auto b_info = config->find("b_info");
  if (b_info == config->end() || !b_info->is_object()) {
    return vetoes;
  }
  const json_fields build(*b_info);
  if (is_set(build, "disable_migrate")) {
    vetoes.emplace_back("nomigrate=1 is set");
  }
  if (has_entries(*b_info, "vnuma_nodes")) {
    vetoes.emplace_back("a virtual NUMA layout (vnuma=) cannot be saved");
  }
  return vetoes;
}

std::string without_passwords(const std::string& config_json) {
  auto config = parse_object(config_json, max_config_bytes);
  if (!config) {
    return config_json;
  }
  erase_passwords(*config);
  return dump(*config);
}

}  // namespace teleport
