// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/guest_change_test.cpp: each thing that others do to a guest during
// its teleport is seen and named.

#include "libteleport/xen/guest_change.hpp"

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/units.hpp"
#include "libteleport/xen/config.hpp"
#include "test/support/catch.hpp"

namespace teleport {
namespace {

using nlohmann::json;

const json web1 = {
    {"c_info",
     {{"type", "pvh"},
      {"name", "web1"},
      {"uuid", "6a3f3f0e-9a0f-4a55-8f0a-6f2f1c0d9b11"}}},
    {"b_info",
     {{"max_vcpus", 2},
      {"avail_vcpus", {0, 1}},
      {"max_memkb", 131072},
      {"target_memkb", 131072}}},
    {"disks",
     {{{"pdev_path", "/dev/vg0/web"}, {"vdev", "xvda"}, {"readwrite", 1}}}},
    {"nics", {{{"mac", "00:16:3e:01:02:03"}, {"bridge", "br0"}}}}};

guest_info guest_of(const json& config) {
  guest_info guest = read_config(config.dump()).value();
  guest.domid = 7;
  unsigned minor = 0;
  for (guest_disk& disk : guest.disks) {
    disk.device = "/dev/dm-" + std::to_string(minor);
    disk.major = 253;
    disk.minor = minor++;
    disk.size = 1_GiB;
  }
  return guest;
}

guest_info changed(const std::function<void(json&)>& change) {
  json config = web1;
  change(config);
  return guest_of(config);
}

guest_change seen(const guest_info& now) {
  return difference(guest_of(web1), now);
}

}  // namespace

TEST_CASE("a guest that nobody has touched is the same", "[guest_change]") {
  CHECK(seen(guest_of(web1)) == guest_change());
}

TEST_CASE("a disk that is plugged in or out begins the teleport anew",
          "[guest_change]") {
  const guest_info more = changed([](json& config) {
    config["disks"].push_back({{"pdev_path", "/dev/loop5"}, {"vdev", "xvdb"}});
  });
  CHECK(seen(more) == guest_change{guest_verdict::anew, "xvdb was plugged in"});
  CHECK(difference(more, guest_of(web1)) ==
        guest_change{guest_verdict::anew, "xvdb was unplugged"});
}

TEST_CASE("another device under a disk's name begins the teleport anew",
          "[guest_change]") {
  guest_info now = guest_of(web1);
  SECTION("by its numbers") {
    now.disks.at(0).minor = 9;
  }
  SECTION("by its path") {
    now.disks.at(0).configured_path = "/dev/vg0/other";
  }
  CHECK(seen(now) ==
        guest_change{guest_verdict::anew, "xvda is another disk by now"});
}

TEST_CASE("a disk that has grown begins the teleport anew", "[guest_change]") {
  guest_info now = guest_of(web1);
  now.disks.at(0).size += 1_MiB;
  CHECK(seen(now) == guest_change{guest_verdict::anew, "xvda was changed"});
}

TEST_CASE("a network interface on a known bridge is carried along",
          "[guest_change]") {
  const json nic = {{"mac", "00:16:3e:01:02:04"}, {"bridge", "br0"}};
  const guest_info more =
      changed([&](json& config) { config["nics"].push_back(nic); });
  CHECK(seen(more) ==
        guest_change{guest_verdict::carried,
                     "the network interface 00:16:3e:01:02:04 was plugged in"});
  CHECK(difference(more, guest_of(web1)) ==
        guest_change{guest_verdict::carried,
                     "the network interface 00:16:3e:01:02:04 was unplugged"});
  const guest_info none = changed([](json& config) { config.erase("nics"); });
  CHECK(seen(none) ==
        guest_change{guest_verdict::carried,
                     "the network interface 00:16:3e:01:02:03 was unplugged"});
}

TEST_CASE("a bridge that the destination was not asked about begins anew",
          "[guest_change]") {
  const guest_info now =
      changed([](json& config) { config["nics"][0]["bridge"] = "dmz"; });
  CHECK(seen(now) ==
        guest_change{guest_verdict::anew, "a network interface was changed"});
}

TEST_CASE("memory and processors are carried along while there is room",
          "[guest_change]") {
  CHECK(seen(changed([](json& config) {
          config["b_info"]["target_memkb"] = 65536;
        })) == guest_change{guest_verdict::carried, "its memory was set"});
  CHECK(seen(changed([](json& config) {
          config["b_info"]["avail_vcpus"] = {0};
        })) == guest_change{guest_verdict::carried, "its processors were set"});
  CHECK(seen(changed([](json& config) {
          config["b_info"]["max_memkb"] = 262144;
        })) == guest_change{guest_verdict::anew, "its memory was set"});
}

TEST_CASE("a guest that is renamed begins anew under its new name",
          "[guest_change]") {
  guest_info now = guest_of(web1);
  now.name = "web2";
  CHECK(seen(now) ==
        guest_change{guest_verdict::anew, "it was renamed to web2"});
}

TEST_CASE("a device that is passed through begins anew", "[guest_change]") {
  const guest_info now = changed([](json& config) {
    config["pcidevs"] = {{{"dev", 1}}};
  });
  CHECK(seen(now).verdict == guest_verdict::anew);
}

TEST_CASE("all differences are named, and the gravest decides",
          "[guest_change]") {
  guest_info now =
      changed([](json& config) { config["b_info"]["avail_vcpus"] = {0}; });
  now.disks.clear();
  CHECK(seen(now) == guest_change{guest_verdict::anew,
                                  "xvda was unplugged; its processors were "
                                  "set"});
}

TEST_CASE("what libxl writes differently by itself is no change",
          "[guest_change]") {
  const guest_info now = changed([](json& config) {
    config["b_info"]["shadow_memkb"] = 4096;
    config["c_info"]["domid"] = 7;
  });
  CHECK(seen(now) == guest_change());
}

TEST_CASE("who has a guest that is not as the teleport left it is told",
          "[guest_change]") {
  const guest_info before = guest_of(web1);
  const auto verdict = [&](guest_sight now, guest_state due) {
    return change_of(before, now, due).verdict;
  };
  using state = guest_state;
  CHECK(verdict({state::running, 7, {}}, state::running) ==
        guest_verdict::same);
  CHECK(verdict({state::suspended, 7, {}}, state::suspended) ==
        guest_verdict::same);
  CHECK(verdict({state::suspended, 7, {}}, state::running) ==
        guest_verdict::others);
  CHECK(verdict({state::running, 7, {}}, state::suspended) ==
        guest_verdict::others);
  CHECK(verdict({state::paused, 7, {}}, state::running) ==
        guest_verdict::others);
  CHECK(verdict({state::running, 9, {}}, state::running) ==
        guest_verdict::anew);
  CHECK(verdict({state::running, 9, {}}, state::suspended) ==
        guest_verdict::anew);
  CHECK(verdict({state::dying, 7, {}}, state::running) == guest_verdict::gone);
  CHECK(verdict({}, state::running) == guest_verdict::gone);
  guest_info more = before;
  more.name = "web2";
  CHECK(verdict({state::running, 7, more}, state::running) ==
        guest_verdict::anew);
}

TEST_CASE("a guest that did not move is told to be where it is",
          "[guest_change]") {
  CHECK(stays_as("web1", guest_state::running).empty());
  CHECK(stays_as("web1", guest_state::paused).starts_with("web1 is paused"));
  CHECK(stays_as("web1", guest_state::suspended)
            .starts_with("web1 is suspended here by another program"));
  CHECK(stays_as("web1", guest_state::absent)
            .starts_with("web1 is not here any more"));
}

}  // namespace teleport
