// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/guest_config.cpp: xl.hpp's two forms of a configuration.

#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <string>

#include <sys/file.h>

#include <nlohmann/json.hpp>

#include "libteleport/disk/loop_device.hpp"
#include "libteleport/xen/config.hpp"
#include "test/whole/xen/xl.hpp"

namespace teleport::whole {

namespace {

using nlohmann::json;

/// The value of the last `KEY = "VALUE"` or `KEY = NUMBER` at the beginning of
/// a line: as xl has it, a later one counts.
std::string value_of(const std::string& text,
                     const std::string& key,
                     const std::string& otherwise) {
  const std::regex line("(^|\n)" + key + R"re(\s*=\s*["']?([^"'\n]*)["']?)re");
  std::string value = otherwise;
  for (std::sregex_iterator it(text.begin(), text.end(), line), end; it != end;
       ++it) {
    value = (*it)[2].str();
  }
  return value;
}

json disk_json(const std::string& path,
               const std::string& vdev,
               bool writable) {
  json disk = {{"pdev_path", path},
               {"vdev", vdev},
               {"backend", "phy"},
               {"format", "raw"}};
  if (writable) {
    disk["readwrite"] = 1;
  }
  return disk;
}

/// "phy:/path,xvda,w", the old form, which xl still takes, or KEY=VALUE with
/// the target last. A file is no disk of blkback's without a script.
json disk_of(const std::string& spec) {
  const std::regex old_form("(phy:)?([^,=]+),([a-z0-9]+),([rw])");
  std::smatch found;
  if (std::regex_match(spec, found, old_form)) {
    return disk_json(found[2], found[3], found[4] == "w");
  }
  const std::regex form(
      "format=raw, vdev=([a-z0-9]+), access=(r[ow]), "
      "(script=block-teleport|backendtype=phy), target=(.+)");
  if (!std::regex_match(spec, found, form)) {
    throw std::runtime_error("disk '" + spec + "' is not understood");
  }
  return disk_json(found[4], found[1], found[2] == "rw");
}

}  // namespace

unique_fd lock_xl() {
  return lock_file_at("/run/lock/xl", LOCK_EX);
}

domain read_libxl_json(const std::string& text) {
  const auto guest = read_config(text);
  if (!guest) {
    throw std::runtime_error(guest.error().context);
  }
  domain one;
  one.name = guest->name;
  one.uuid = guest->uuid;
  one.memory_kib = guest->max_memory_kib;
  one.config_json = text;
  for (const guest_disk& disk : guest->disks) {
    world_disk attached;
    attached.vdev = disk.vdev;
    attached.path = disk.configured_path;
    attached.read_only = disk.read_only;
    one.disks.push_back(std::move(attached));
  }
  return one;
}

void attach_disk(std::uint32_t domid, const std::string& spec) {
  const json disk = disk_of(spec);
  world_disk attached;
  attached.vdev = disk.at("vdev");
  attached.path = disk.at("pdev_path");
  attached.read_only = !disk.contains("readwrite");
  attach_backend(attached);
  change_domain(domid, [&](domain& one) {
    json config = json::parse(one.config_json);
    config["disks"].push_back(disk);
    one.config_json = config.dump();
    one.disks.push_back(attached);
    write_backend_nodes(one);
  });
}

void detach_disk(std::uint32_t domid, const std::string& vdev) {
  std::string device;
  change_domain(domid, [&](domain& one) {
    json config = json::parse(one.config_json);
    json& disks = config["disks"];
    for (auto it = disks.begin(); it != disks.end();) {
      it = it->at("vdev") == vdev ? disks.erase(it) : std::next(it);
    }
    one.config_json = config.dump();
    std::erase_if(one.disks, [&](const world_disk& disk) {
      if (disk.vdev == vdev && disk.loop_is_ours) {
        device = disk.device;
      }
      return disk.vdev == vdev;
    });
    write_backend_nodes(one);
  });
  if (!device.empty()) {
    static_cast<void>(detach_loop(device));
  }
}

void attach_nic(std::uint32_t domid, const std::string& spec) {
  const std::regex form("mac=([^,]+),bridge=(.+)");
  std::smatch found;
  if (!std::regex_match(spec, found, form)) {
    throw std::runtime_error("interface '" + spec + "' is not understood");
  }
  change_domain(domid, [&](domain& one) {
    json config = json::parse(one.config_json);
    config["nics"].push_back(
        {{"mac", found[1].str()}, {"bridge", found[2].str()}});
    one.config_json = config.dump();
  });
}

void set_in_build_info(std::uint32_t domid,
                       const std::string& name,
                       std::uint64_t value) {
  change_domain(domid, [&](domain& one) {
    json config = json::parse(one.config_json);
    config["b_info"][name] = value;
    one.config_json = config.dump();
  });
}

domain read_xl_config(const std::string& file) {
  std::ifstream in(file);
  if (!in) {
    throw std::runtime_error("cannot read " + file);
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  json disks = json::array();
  const std::regex list(R"(disk\s*=\s*\[([^\]]*)\])");
  const std::regex entry(R"re(["']([^"']+)["'])re");
  for (std::sregex_iterator one(text.begin(), text.end(), list), none;
       one != none;
       ++one) {
    const std::string inside = (*one)[1];
    disks.clear();
    for (std::sregex_iterator it(inside.begin(), inside.end(), entry), end;
         it != end;
         ++it) {
      disks.push_back(disk_of((*it)[1]));
    }
  }
  std::string uuid = value_of(text, "uuid", "");
  if (uuid.empty()) {
    std::getline(std::ifstream("/proc/sys/kernel/random/uuid"), uuid);
  }
  const auto number = [&](const char* key, const char* otherwise) {
    return std::stoull(value_of(text, key, otherwise));
  };
  const json config = {{"c_info",
                        {{"type", value_of(text, "type", "pvh")},
                         {"name", value_of(text, "name", "")},
                         {"uuid", uuid}}},
                       {"b_info",
                        {{"max_memkb", number("memory", "64") * 1024},
                         {"max_vcpus", number("vcpus", "1")}}},
                       {"disks", disks}};
  return read_libxl_json(config.dump());
}

}  // namespace teleport::whole
