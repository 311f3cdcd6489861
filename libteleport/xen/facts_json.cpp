// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/facts_json.cpp: see facts_json.hpp.

#include "libteleport/xen/facts_json.hpp"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "libteleport/base/json_fields.hpp"
#include "libteleport/base/sentence.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/xen/config.hpp"
#include "libteleport/xen/names.hpp"

namespace teleport {
namespace {

using nlohmann::json;

// Limits of what a peer may tell. Linux: PATH_MAX 4096, IFNAMSIZ 16; libxl
// takes any name, its own tools print up to 40; the rest is room to spare.
constexpr std::size_t max_name = 255;
constexpr std::size_t max_path = 4095;
constexpr std::size_t max_interface_name = 15;
constexpr std::size_t max_vdev = 31;
constexpr std::size_t max_bridges = 256;
constexpr std::size_t max_boot_files = 16;
constexpr std::size_t max_guests = 16384;
constexpr std::size_t max_cpu_words = 64;
constexpr std::size_t max_problems = 1024;
constexpr std::size_t max_sentence = 8192;

bool is_path_or_empty(const std::string& text) {
  return text.empty() || text.front() == '/';
}

json disk_json(const guest_disk& disk) {
  return {{"vdev", disk.vdev},
          {"device", disk.device},
          {"configured_path", disk.configured_path},
          {"size", disk.size},
          {"read_only", disk.read_only},
          {"backend", disk.backend},
          {"is_cdrom", disk.is_cdrom},
          {"major", disk.major},
          {"minor", disk.minor}};
}

guest_disk read_disk(json_fields& in) {
  guest_disk disk;
  disk.vdev = in.text("vdev", max_vdev);
  disk.device = in.text("device", max_path);
  disk.configured_path = in.text("configured_path", max_path);
  disk.size = in.number<std::uint64_t>("size", max_disk_bytes);
  disk.read_only = in.flag("read_only");
  disk.backend = in.text("backend", max_vdev);
  disk.is_cdrom = in.flag("is_cdrom");
  disk.major = in.number<unsigned>("major");
  disk.minor = in.number<unsigned>("minor");
  if (!in.failed() && !is_vdev(disk.vdev)) {
    in.fail("vdev: not a device name");
  }
  if (!in.failed() && !is_path_or_empty(disk.device)) {
    in.fail("device: not an absolute path");
  }
  return disk;
}

void read_disks(json_fields& in, std::vector<guest_disk>& disks) {
  for (const json& entry : in.list("disks", max_drives)) {
    json_fields fields(entry);
    guest_disk disk = read_disk(fields);
    if (fields.failed()) {
      in.fail("disks: " + *fields.failed());
      return;
    }
    const bool twice =
        std::any_of(disks.begin(), disks.end(), [&](const guest_disk& other) {
          return other.vdev == disk.vdev;
        });
    if (twice) {
      in.fail("disks: " + disk.vdev + " is there twice");
      return;
    }
    disks.push_back(std::move(disk));
  }
}

void check_guest(json_fields& in, const guest_info& guest) {
  const auto require = [&in](bool good, const char* why) {
    if (!good) {
      in.fail(why);
    }
  };
  require(is_plain_name(guest.name), "name: not fit for a guest");
  require(is_uuid(guest.uuid), "uuid: not a uuid");
  require(guest.type == "pv" || guest.type == "pvh" || guest.type == "hvm",
          "type: not pv, pvh or hvm");
  for (const std::string& bridge : guest.bridges) {
    require(is_plain_name(bridge), "bridges: not an interface's name");
  }
  for (const std::string& file : guest.boot_files) {
    require(!file.empty() && file.front() == '/',
            "boot_files: not an absolute path");
  }
}

error wrong(std::string_view what, const std::string& why) {
  return {errc::protocol, std::string(what) + ": " + why};
}

}  // namespace

std::string to_json(const guest_info& guest) {
  json disks = json::array();
  for (const guest_disk& disk : guest.disks) {
    disks.push_back(disk_json(disk));
  }
  return dump({{"domid", guest.domid},
               {"name", guest.name},
               {"uuid", guest.uuid},
               {"type", guest.type},
               {"max_memory_kib", guest.max_memory_kib},
               {"vcpus", guest.vcpus},
               {"config_json", guest.config_json},
               {"disks", std::move(disks)},
               {"bridges", guest.bridges},
               {"boot_files", guest.boot_files},
               {"has_passthrough", guest.has_passthrough}});
}

std::string to_json(const host_facts& host) {
  return dump({{"xen_version", host.xen_version},
               {"xen_extra", host.xen_extra},
               {"free_memory_kib", host.free_memory_kib},
               {"cpu_capabilities", host.cpu_capabilities},
               {"guest_names", host.guest_names},
               {"guest_uuids", host.guest_uuids},
               {"hap", host.hap}});
}

std::string to_json(const std::vector<problem>& problems) {
  json list = json::array();
  for (const problem& one : problems) {
    list.push_back({{"code", one.code},
                    {"sentence", sendable(one.sentence, max_sentence)}});
  }
  return dump({{"problems", std::move(list)}});
}

result<guest_info> read_guest_info(std::string_view json_text) {
  const auto object = parse_object(json_text, max_facts_bytes);
  if (!object) {
    return wrong("guest facts", object.error().context);
  }
  json_fields in(*object);
  guest_info guest;
  guest.domid =
      in.number<std::uint32_t>("domid", 0x7fef);  // below Xen's reserved ones
  guest.name = in.text("name", max_name);
  guest.uuid = in.text("uuid", 36);
  guest.type = in.text("type", 3);
  // 64 TiB of memory: above Xen's own limit, below any overflow here.
  guest.max_memory_kib =
      in.number<std::uint64_t>("max_memory_kib", std::uint64_t{1} << 36U);
  guest.vcpus = in.number<unsigned>("vcpus", 8192);
  guest.config_json = in.raw_text("config_json", max_config_bytes);
  read_disks(in, guest.disks);
  guest.bridges = in.texts("bridges", max_bridges, max_interface_name);
  guest.boot_files = in.texts("boot_files", max_boot_files, max_path);
  guest.has_passthrough = in.flag("has_passthrough");
  check_guest(in, guest);
  if (in.failed()) {
    return wrong("guest facts", *in.failed());
  }
  return guest;
}

result<host_facts> read_host_facts(std::string_view json_text) {
  const auto object = parse_object(json_text, max_facts_bytes);
  if (!object) {
    return wrong("host facts", object.error().context);
  }
  json_fields in(*object);
  host_facts host;
  host.xen_version = in.text("xen_version", 15);
  host.xen_extra = in.text("xen_extra", max_name);
  host.free_memory_kib = in.number<std::uint64_t>("free_memory_kib");
  host.cpu_capabilities =
      in.numbers<std::uint32_t>("cpu_capabilities", max_cpu_words);
  host.guest_names = in.texts("guest_names", max_guests, max_name);
  host.guest_uuids = in.texts("guest_uuids", max_guests, 36);
  host.hap = in.flag("hap");
  if (in.failed()) {
    return wrong("host facts", *in.failed());
  }
  return host;
}

result<std::vector<problem>> read_problems(std::string_view json_text) {
  const auto object = parse_object(json_text, max_facts_bytes);
  if (!object) {
    return wrong("problems", object.error().context);
  }
  json_fields in(*object);
  std::vector<problem> problems;
  for (const json& entry : in.list("problems", max_problems)) {
    json_fields fields(entry);
    problem one;
    one.code = fields.text("code", max_vdev);
    one.sentence = fields.text("sentence", max_sentence);
    if (fields.failed()) {
      in.fail(*fields.failed());
      break;
    }
    problems.push_back(std::move(one));
  }
  if (in.failed()) {
    return wrong("problems", *in.failed());
  }
  return problems;
}

}  // namespace teleport
