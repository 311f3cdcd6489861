// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/guest_config_test.cpp: an arriving guest's configuration is built
// anew, and what is not a guest's own is refused by its name.

#include "libteleport/xen/guest_config.hpp"

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/xen/config.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {
namespace {

using nlohmann::json;
using paths = std::map<std::string, std::string>;

// As libxl 4.17 wrote it for a PVH guest, shortened.
const json pvh = json::parse(R"({
  "c_info": {"type": "pvh", "hap": "True", "name": "web", "domid": 5,
    "uuid": "6a3f3f0e-9a0f-4a55-8f0a-6f2f1c0d9b11",
    "run_hotplug_scripts": "True", "poolid": 0, "passthrough": "disabled"},
  "b_info": {"max_vcpus": 2, "avail_vcpus": [0, 1], "nodemap": [],
    "vcpu_hard_affinity": [[0], [1]], "max_memkb": 131072,
    "target_memkb": 131072, "shadow_memkb": 3072,
    "sched_params": {"sched": "credit2", "weight": 256},
    "device_model_stubdomain": "False", "cpuid": [{"leaf": 1, "eax": "xx01"}],
    "kernel": "/boot/vmlinuz", "cmdline": "root=/dev/xvda ro",
    "ramdisk": "/srv/boot/initrd", "type.pvh": {}, "arch_x86": {}},
  "disks": [
    {"pdev_path": "/dev/vg0/web", "vdev": "xvda", "backend": "phy",
     "format": "raw", "script": "block-special", "readwrite": 1,
     "discard_enable": "True", "colo_enable": "False"},
    {"pdev_path": "/dev/loop3", "vdev": "xvdb", "backend": "qdisk",
     "format": "qcow2", "backend_domname": "Domain-0"},
    {"vdev": "xvdc", "backend": "phy", "format": "empty", "removable": 1,
     "is_cdrom": 1}],
  "nics": [{"devid": 0, "mac": "00:16:3e:01:02:03", "bridge": "br0",
            "script": "/etc/xen/scripts/vif-bridge", "ip": "10.0.0.1/24"},
           {"devid": 1, "mac": "00:16:3e:01:02:04", "bridge": "br0.7"}],
  "p9s": [], "on_reboot": "restart"})");

const paths places = {{"xvda", "/dev/loop7"}, {"xvdb", "/dev/loop8"}};

guest_info offered() {
  return read_config(pvh.dump()).value();
}

/// An administrator's list: the default one, and a folder made for guests.
arrival_rules rules_here() {
  arrival_rules rules = default_arrival_rules();
  rules.boot_files.emplace_back("/srv/boot/*");
  return rules;
}

result<std::string> build(const json& config, const paths& to = places) {
  return build_config(config.dump(), offered(), to, rules_here());
}

/// The one sentence of the refusal of a configuration with one change.
std::string refusal_of(const json& change) {
  json config = pvh;
  config.merge_patch(change);
  const auto built = build(config);
  CHECK_FALSE(built);
  return built ? std::string() : built.error().context;
}

bool names(const std::string& sentence, const std::string& what) {
  return sentence.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a guest keeps what is its own and nothing of its old host",
          "[config]") {
  const json built = json::parse(build(pvh).value());
  json expected = pvh;
  for (const char* gone : {"domid", "run_hotplug_scripts", "poolid"}) {
    expected["c_info"].erase(gone);
  }
  for (const char* gone : {"nodemap", "vcpu_hard_affinity"}) {
    expected["b_info"].erase(gone);
  }
  expected["disks"][0].erase("script");
  expected["disks"][0]["pdev_path"] = "/dev/loop7";
  expected["disks"][1] = {{"pdev_path", "/dev/loop8"},
                          {"vdev", "xvdb"},
                          {"backend", "phy"},
                          {"format", "raw"}};
  CHECK(built == expected);
}

TEST_CASE("what a host would lose to a guest is refused by its name",
          "[config]") {
  CHECK(names(refusal_of({{"p9s", {{{"tag", "x"}, {"path", "/"}}}}}), "p9="));
  CHECK(names(refusal_of({{"b_info", {{"device_model", "/tmp/x"}}}}),
              "device_model_override="));
  CHECK(names(refusal_of({{"b_info", {{"extra", {"-monitor", "stdio"}}}}}),
              "b_info.extra"));
  CHECK(names(refusal_of({{"pcidevs", {{{"bus", 1}, {"seize", true}}}}}),
              "pci="));
  CHECK(names(refusal_of({{"b_info", {{"iomem", {{{"start", 0}}}}}}}),
              "b_info.iomem"));
  CHECK(names(refusal_of({{"b_info", {{"bootloader", "/tmp/x"}}}}),
              "boot_files"));
  CHECK(names(refusal_of({{"b_info", {{"ramdisk", "/etc/shadow"}}}}),
              "/etc/shadow"));
  CHECK(names(refusal_of({{"b_info", {{"ramdisk", "/boot/../etc/shadow"}}}}),
              "boot_files"));
  CHECK(names(refusal_of({{"b_info", {{"ramdisk", "/boot/grub/grub.cfg"}}}}),
              "boot_files"));
  CHECK(names(
      refusal_of({{"b_info", {{"type.hvm", {{"serial", "file:/etc/x"}}}}}}),
      "type.hvm.serial"));
  CHECK(names(refusal_of({{"c_info", {{"driver_domain", "True"}}}}),
              "driver_domain"));
  CHECK(names(refusal_of({{"new_devices", {1}}}), "new_devices"));
  json config = pvh;
  config["nics"][0]["script"] = "/tmp/own";
  CHECK(names(build(config).error().context, "nics[0].script"));
  config = pvh;
  config["disks"][0]["backend_domid"] = 3;
  CHECK(names(build(config).error().context, "backend="));
  config = pvh;
  config["disks"][2]["script"] = "own";
  CHECK(names(build(config).error().context, "empty drive with a script"));
}

TEST_CASE("a guest boots with this host's kernels and not with its ramdisks",
          "[config]") {
  const arrival_rules rules = default_arrival_rules();
  for (const char* file : {"/boot/vmlinuz-6.1.0-18-amd64",
                           "/boot/vmlinuz",
                           "/usr/lib/grub-xen/grub-x86_64-xen.bin",
                           "/usr/lib/xen-4.17/boot/hvmloader",
                           "pygrub"}) {
    CHECK(may_boot_from(rules, file));
  }
  for (const char* file : {"/boot/initrd.img-6.1.0-18-amd64",
                           "/boot/initramfs-6.1.0.img",
                           "/boot/luks.key",
                           "/boot/grub/grub.cfg",
                           "/var/lib/xen/boot/ramdisk"}) {
    CHECK_FALSE(may_boot_from(rules, file));
  }
  json config = pvh;
  config["b_info"]["ramdisk"] = "/boot/initrd.img-6.1.0";
  const auto refused = unbuildable_members(config.dump(), rules);
  REQUIRE(refused.size() == 1);
  CHECK(names(refused[0],
              "\"/boot/initrd.img-6.1.0\" can be added to boot_files under "
              "[arrivals] in teleport.conf there"));
}

TEST_CASE("another guest than the one that was offered is refused",
          "[config]") {
  CHECK(names(refusal_of({{"c_info", {{"name", "db"}}}}), "it is of db"));
  CHECK(names(
      refusal_of(
          {{"c_info", {{"uuid", "11111111-1111-4111-8111-111111111111"}}}}),
      "it is of web (1111"));
  CHECK(names(refusal_of({{"c_info", {{"type", "hvm"}}}}), "another type"));
  CHECK(names(refusal_of({{"b_info", {{"max_memkb", 1 << 30}}}}), "memory"));
  CHECK(names(refusal_of({{"b_info", {{"max_vcpus", 64}}}}), "vcpus"));
  guest_info roomy = offered();
  roomy.max_memory_kib += 1024;
  CHECK(build_config(pvh.dump(), roomy, places, rules_here()));
}

TEST_CASE("disks that have no place, or a place without a disk, are refused",
          "[config]") {
  const auto code = [](const paths& to) { return build(pvh, to).error().code; };
  CHECK(code({{"xvda", "/dev/a"}}) == errc::bad_input);
  CHECK(code({{"xvda", "/dev/a"}, {"xvdb", "/dev/b"}, {"xvdz", "/dev/c"}}) ==
        errc::bad_input);
  CHECK(code({{"xvda", "/dev/a"}, {"xvdb", "b"}}) == errc::bad_input);
  CHECK(code({{"xvda", "/dev/a"}, {"xvdb", ""}}) == errc::bad_input);
  json twice = pvh;
  twice["disks"][1]["vdev"] = "xvda";
  CHECK_FALSE(build(twice, {{"xvda", "/dev/a"}}));
}

TEST_CASE("the source tells what none builds; the destination its lists, too",
          "[config]") {
  json config = pvh;
  config["b_info"]["kernel"] = "/srv/kernels/linux";
  CHECK(unbuildable_members(config.dump()).empty());
  CHECK(unbuildable_members(config.dump(), rules_here()).size() == 1);
  arrival_rules rules = rules_here();
  rules.boot_files.emplace_back("/srv/kernels/*");
  CHECK(unbuildable_members(config.dump(), rules).empty());
  config["channels"] = {{{"name", "agent"}}};
  CHECK(unbuildable_members(config.dump()).size() == 1);
  CHECK(unbuildable_members("{") ==
        std::vector<std::string>{"guest configuration: not a JSON object"});
}

}  // namespace teleport
