// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/xen_facts_test.cpp: guest configurations, facts on the wire and
// preflight.

#include <algorithm>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/units.hpp"
#include "libteleport/xen/config.hpp"
#include "libteleport/xen/facts_json.hpp"
#include "libteleport/xen/guest_config.hpp"
#include "libteleport/xen/preflight.hpp"
#include "test/support/catch.hpp"

namespace teleport {
namespace {

using nlohmann::json;

constexpr const char* some_uuid = "6a3f3f0e-9a0f-4a55-8f0a-6f2f1c0d9b11";

// As libxl 4.17 wrote it for a PVH guest, shortened.
const std::string pvh_config = R"({
  "c_info": {"type": "pvh", "hap": "True", "name": "web", "domid": 5,
    "uuid": "6a3f3f0e-9a0f-4a55-8f0a-6f2f1c0d9b11",
    "run_hotplug_scripts": "True", "poolid": 0},
  "b_info": {"max_vcpus": 2, "avail_vcpus": [0, 1],
    "vcpu_hard_affinity": [[0], [1]], "max_memkb": 131072,
    "target_memkb": 131072, "shadow_memkb": 3072,
    "sched_params": {"sched": "credit2"}, "kernel": "/boot/vmlinuz",
    "cmdline": "root=/dev/xvda", "ramdisk": "/boot/initrd", "type.pvh": {}},
  "disks": [
    {"pdev_path": "/dev/vg0/web", "vdev": "xvda", "backend": "phy",
     "format": "raw", "script": "block-special", "readwrite": 1},
    {"pdev_path": "/dev/loop3", "vdev": "xvdb", "backend": "phy",
     "format": "raw"},
    {"vdev": "xvdc", "backend": "phy", "format": "empty", "removable": 1,
     "is_cdrom": 1}],
  "nics": [{"devid": 0, "mac": "00:16:3e:01:02:03", "bridge": "br0"},
           {"devid": 1, "mac": "00:16:3e:01:02:04", "bridge": "br0"}],
  "on_reboot": "restart"})";

guest_info some_guest() {
  guest_info guest = read_config(pvh_config).value();
  guest.domid = 5;
  guest.disks.at(0).device = "/dev/dm-0";
  guest.disks.at(0).size = 1_GiB;
  guest.disks.at(0).major = 253;
  guest.disks.at(1).device = "/dev/loop3";
  guest.disks.at(1).size = 1_MiB;
  guest.disks.at(1).major = 7;
  guest.disks.at(1).minor = 3;
  return guest;
}

host_facts some_host() {
  host_facts host;
  host.xen_version = "4.17";
  host.xen_extra = ".5";
  host.free_memory_kib = 1_GiB / 1_KiB;
  host.cpu_capabilities = {0xffff, 0x1, 0, 0, 0, 0x120, 0, 0};
  host.guest_names = {"Domain-0", "db"};
  host.guest_uuids = {"00000000-0000-0000-0000-000000000000"};
  host.hap = true;
  return host;
}

destination_facts all_well() {
  destination_facts there;
  there.bridges_present = {"br0", "br1"};
  return there;
}

std::vector<std::string> codes(const std::vector<problem>& problems) {
  std::vector<std::string> found;
  for (const problem& one : problems) {
    CHECK_FALSE(one.sentence.empty());
    found.push_back(one.code);
  }
  return found;
}

using code_list = std::vector<std::string>;

}  // namespace

TEST_CASE("a configuration is read for its facts", "[xen]") {
  const guest_info guest = read_config(pvh_config).value();
  CHECK(guest.name == "web");
  CHECK(guest.uuid == some_uuid);
  CHECK(guest.type == "pvh");
  CHECK(guest.max_memory_kib == 131072);
  CHECK(guest.vcpus == 2);
  CHECK(guest.bridges == code_list{"br0"});
  CHECK(guest.boot_files == code_list{"/boot/vmlinuz", "/boot/initrd"});
  CHECK_FALSE(guest.has_passthrough);
  REQUIRE(guest.disks.size() == 3);
  CHECK(guest.disks[0].configured_path == "/dev/vg0/web");
  CHECK_FALSE(guest.disks[0].read_only);
  CHECK(guest.disks[1].read_only);
  CHECK(guest.disks[2].is_empty());
  CHECK(guest.disks[2].is_cdrom);
}

TEST_CASE("a configuration is told of without its displays' passwords",
          "[xen]") {
  const std::string config = R"({"b_info": {"type.hvm": {
    "vnc": {"enable": "True", "passwd": "secret1"},
    "spice": {"passwd": "secret2", "port": 1}}},
    "vfbs": [{"vnc": {"passwd": "secret3"}, "keymap": "de"}]})";
  CHECK(json::parse(without_passwords(config)) ==
        json::parse(R"({"b_info": {"type.hvm": {"vnc": {"enable": "True"},
          "spice": {"port": 1}}}, "vfbs": [{"vnc": {}, "keymap": "de"}]})"));
  CHECK(without_passwords("[") == "[");
}

TEST_CASE("a configuration that is not one is refused", "[xen]") {
  json config = json::parse(pvh_config);
  for (const char* text : {"", "[]", "{", "null", "{}", R"({"c_info":1})"}) {
    CHECK(read_config(text).error().code == errc::corrupt);
  }
  SECTION("a group of another type") {
    config["c_info"] = json::array();
  }
  SECTION("no name") {
    config["c_info"].erase("name");
  }
  SECTION("a name with a line feed") {
    config["c_info"]["name"] = "a\nb";
  }
  SECTION("memory below zero") {
    config["b_info"]["max_memkb"] = -1;
  }
  SECTION("disks that are no list") {
    config["disks"] = 7;
  }
  SECTION("a disk that is a number") {
    config["disks"][0] = 7;
  }
  SECTION("a path that is a number") {
    config["disks"][0]["pdev_path"] = 7;
  }
  SECTION("a bridge that is a list") {
    config["nics"][0]["bridge"] = json::array();
  }
  SECTION("too many disks") {
    config["disks"] = json(300, json::object());
  }
  CHECK_FALSE(read_config(config.dump()).has_value());
  CHECK_FALSE(
      read_config(std::string(max_config_bytes, ' ') + pvh_config).has_value());
}

TEST_CASE("facts survive the wire", "[xen]") {
  const guest_info guest = some_guest();
  CHECK(read_guest_info(to_json(guest)).value() == guest);
  const host_facts host = some_host();
  CHECK(read_host_facts(to_json(host)).value() == host);
  const std::vector<problem> problems = {{"cpu", "no \"x\""}, {"memory", "m"}};
  CHECK(read_problems(to_json(problems)).value() == problems);
  CHECK(read_problems(to_json(std::vector<problem>())).value().empty());
}

TEST_CASE("every field of the facts is checked", "[xen]") {
  const json good = json::parse(to_json(some_guest()));
  for (const auto& [key, value] : good.items()) {
    INFO(key);
    json bad = good;
    bad.erase(key);
    CHECK(read_guest_info(bad.dump()).error().code == errc::protocol);
    for (const json& other : {json(nullptr),
                              json(-1),
                              json(1.5),
                              json("\x01"),
                              json::array({7}),
                              json(std::string(5000, 'x'))}) {
      bad[key] = other;
      const bool is_text = key == "config_json" && other.is_string();
      CHECK(read_guest_info(bad.dump()).has_value() == is_text);
    }
  }
  for (const auto& [key, value] : good["disks"][0].items()) {
    INFO(key);
    json bad = good;
    bad["disks"][0].erase(key);
    CHECK_FALSE(read_guest_info(bad.dump()).has_value());
    bad["disks"][0][key] = json::array();
    CHECK_FALSE(read_guest_info(bad.dump()).has_value());
  }
  const json host = json::parse(to_json(some_host()));
  for (const auto& [key, value] : host.items()) {
    json bad = host;
    bad[key] = json::object();
    CHECK(read_host_facts(bad.dump()).error().code == errc::protocol);
  }
}

TEST_CASE("names that could do harm are refused", "[xen]") {
  guest_info guest = some_guest();
  SECTION("a path as name") {
    guest.name = "../etc";
  }
  SECTION("an option as name") {
    guest.name = "-p";
  }
  SECTION("no name") {
    guest.name = "";
  }
  SECTION("a uuid of other letters") {
    guest.uuid[0] = 'g';
  }
  SECTION("a short uuid") {
    guest.uuid.pop_back();
  }
  SECTION("another type") {
    guest.type = "arm";
  }
  SECTION("a vdev with a slash") {
    guest.disks[0].vdev = "a/b";
  }
  SECTION("a vdev twice") {
    guest.disks[1].vdev = guest.disks[0].vdev;
  }
  SECTION("a relative device") {
    guest.disks[0].device = "loop0";
  }
  SECTION("a disk too large") {
    guest.disks[0].size = max_disk_bytes + 1;
  }
  SECTION("a relative kernel") {
    guest.boot_files[0] = "vmlinuz";
  }
  SECTION("a bridge too long") {
    guest.bridges[0] = std::string(16, 'b');
  }
  SECTION("a bridge with a slash") {
    guest.bridges[0] = "../lo";
  }
  CHECK(read_guest_info(to_json(guest)).error().code == errc::protocol);
}

TEST_CASE("nothing stands against a plain PVH guest", "[xen]") {
  CHECK(codes(source_problems(some_guest(), true)) == code_list{});
  CHECK(codes(destination_problems(
            some_guest(), some_host(), some_host(), all_well())) ==
        code_list{});
}

TEST_CASE("problems at the source, all at once", "[xen]") {
  guest_info guest = some_guest();
  guest.type = "pv";
  CHECK(codes(source_problems(guest, true)) == code_list{"pv_live"});
  CHECK(codes(source_problems(guest, false)) == code_list{});
  guest.has_passthrough = true;
  guest.name = "web--migratedaway";
  guest.disks[0].backend = "qdisk";
  guest.disks[1].size = 0;
  guest.config_json = R"({"b_info": {"disable_migrate": "True"}})";
  CHECK(codes(source_problems(guest, true)) == code_list{"pv_live",
                                                         "passthrough",
                                                         "no_migrate",
                                                         "migrated_away",
                                                         "disk_backend",
                                                         "disk_size"});
  guest = some_guest();
  guest.disks[1].major = guest.disks[0].major;
  guest.disks[1].minor = guest.disks[0].minor;
  CHECK(codes(source_problems(guest, true)) == code_list{"disk_shared"});
  guest = some_guest();
  guest.disks.clear();
  CHECK(codes(source_problems(guest, true)) == code_list{});
}

TEST_CASE("what a guest has of its host is refused at the source, by name",
          "[xen]") {
  const auto refused = [](const char* change) {
    guest_info guest = some_guest();
    json config = json::parse(pvh_config);
    config.merge_patch(json::parse(change));
    guest.config_json = config.dump();
    const auto found = source_problems(guest, true);
    CHECK(codes(found) == code_list{"not_carried"});
    return found.empty() ? std::string() : found[0].sentence;
  };
  const auto names = [&refused](const char* change, const char* name) {
    CAPTURE(change);
    CHECK(refused(change).find(name) != std::string::npos);
  };
  names(R"({"p9s": [{"tag": "x", "path": "/srv"}]})", "p9=");
  names(R"({"pvcallsifs": [{"devid": 0}]})", "pvcalls=");
  names(R"({"channels": [{"name": "x"}]})", "channel=");
  names(R"({"vtpms": [{"devid": 0}]})", "vtpm=");
  names(R"({"vdispls": [{"devid": 0}]})", "vdispl=");
  names(R"({"vsnds": [{"devid": 0}]})", "vsnd=");
  names(R"({"virtios": [{"type": "x"}]})", "virtio=");
  names(R"({"pcidevs": [{"dev": 1}]})", "pci=");
  names(R"({"rdms": [{"start": 1}]})", "rdm=");
  names(R"({"dtdevs": [{"path": "/x"}]})", "dtdev=");
  names(R"({"usbctrls": [{"devid": 0}]})", "usbctrl=");
  names(R"({"usbdevs": [{"ctrl": 0}]})", "usbdev=");
  names(R"({"b_info": {"iomem": [{"start": 1}]}})", "iomem=");
  names(R"({"b_info": {"ioports": [{"first": 1}]}})", "ioports=");
  names(R"({"b_info": {"irqs": [5]}})", "irqs=");
  names(R"({"vfbs": [{"sdl": {"enable": "True"}}]})", "sdl=");
}

TEST_CASE("a guest's scripts are the destination's to allow, before it comes",
          "[xen]") {
  guest_info guest = some_guest();
  json config = json::parse(pvh_config);
  config["nics"][0]["script"] = "/etc/xen/scripts/own";
  guest.config_json = config.dump();
  CHECK(codes(source_problems(guest, true)).empty());
  destination_facts there = all_well();
  there.refused_members =
      unbuildable_members(guest.config_json, default_arrival_rules());
  const auto found =
      destination_problems(guest, some_host(), some_host(), there);
  // The ramdisk is the other one.
  REQUIRE(codes(found) == code_list{"not_allowed", "not_allowed"});
  CHECK(found[1].sentence.find("nics[0].script") != std::string::npos);
}

TEST_CASE("problems at the destination, all at once", "[xen]") {
  const guest_info guest = some_guest();
  const host_facts source = some_host();
  host_facts here = some_host();
  here.xen_version = "4.9";
  here.cpu_capabilities = {0xff00, 0x1};
  here.hap = false;
  here.free_memory_kib = guest.max_memory_kib;
  here.guest_names.emplace_back("web--incoming");
  here.guest_uuids.emplace_back(some_uuid);
  destination_facts there;
  there.missing_boot_files = {"/boot/vmlinuz"};
  CHECK(codes(destination_problems(guest, source, here, there)) ==
        code_list{"xen_version",
                  "cpu",
                  "hap",
                  "memory",
                  "name_clash",
                  "uuid_clash",
                  "bridge",
                  "boot_file"});
  CHECK(missing_cpu_features(source.cpu_capabilities, here.cpu_capabilities) ==
        code_list{"CPUID 1 edx 0x000000ff", "CPUID 7:0 ebx 0x00000120"});
}

TEST_CASE("newer Xen is fine, unreadable is not", "[xen]") {
  host_facts here = some_host();
  const auto found = [&here] {
    return codes(
        destination_problems(some_guest(), some_host(), here, all_well()));
  };
  here.xen_version = "4.20";
  CHECK(found().empty());
  here.xen_version = "5.0";
  CHECK(found().empty());
  here.xen_version = "4";
  CHECK(found() == code_list{"xen_version"});
  here.xen_version = "";
  CHECK(found() == code_list{"xen_version"});
}

TEST_CASE("memory needed is above the guest's own", "[xen]") {
  guest_info guest;
  guest.max_memory_kib = 100 * 1024;
  CHECK(memory_needed_kib(guest) == 100 * 1024 + 1024 + 16 * 1024);
}

}  // namespace teleport
