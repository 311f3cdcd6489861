// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/domain_signs_test.cpp: a domain whose destruction was begun is told
// from one that can run, at each point of libxl's destruction.

#include "libteleport/xen/domain_signs.hpp"

#include <map>
#include <string>
#include <vector>

#include "test/support/catch.hpp"

namespace teleport {

namespace {

domain_signs whole() {
  domain_signs domain;
  domain.has_memory = true;
  domain.has_name = true;
  return domain;
}

domain_signs suspended() {
  domain_signs domain = whole();
  domain.shut_down = true;
  domain.by_suspend = true;
  return domain;
}

domain_signs paused() {
  domain_signs domain = whole();
  domain.paused = true;
  return domain;
}

node_reader nodes_of(const std::map<std::string, std::string>& values) {
  return {[&values](const std::string& path) {
            std::vector<std::string> names;
            for (const auto& [key, value] : values) {
              if (!key.starts_with(path + "/")) {
                continue;
              }
              const std::string rest = key.substr(path.size() + 1);
              const std::string name = rest.substr(0, rest.find('/'));
              if (names.empty() || names.back() != name) {
                names.push_back(name);
              }
            }
            return names;
          },
          [&values](const std::string& path) {
            const auto found = values.find(path);
            return found == values.end() ? std::nullopt
                                         : std::optional(found->second);
          }};
}

}  // namespace

TEST_CASE("a domain has the state that Xen says while it is whole", "[xen]") {
  CHECK(state_of(whole()) == guest_state::running);
  CHECK(state_of(paused()) == guest_state::paused);
  CHECK(state_of(suspended()) == guest_state::suspended);
  auto off = suspended();
  off.by_suspend = false;
  CHECK(state_of(off) == guest_state::shut_down);
}

TEST_CASE("a domain that was destroyed in part is dying, whatever Xen calls it",
          "[xen]") {
  auto domain = GENERATE(suspended(), paused());
  SECTION("its backends were told to close") {
    domain.devices.closing = true;
  }
  SECTION("it has no device any more") {
    domain.devices.gone = true;
  }
  SECTION("its name is gone") {
    domain.has_name = false;
  }
  SECTION("Xen frees it") {
    domain.dying = true;
  }
  CHECK(state_of(domain) == guest_state::dying);
}

TEST_CASE("a domain that has no name yet is not dying", "[xen]") {
  auto domain = paused();
  domain.has_name = false;
  domain.has_memory = false;
  CHECK(state_of(domain) == guest_state::paused);
}

TEST_CASE("xenstore is asked only of a domain that does not run", "[xen]") {
  CHECK_FALSE(may_be_half_destroyed(whole()));
  CHECK(may_be_half_destroyed(paused()));
  CHECK(may_be_half_destroyed(suspended()));
  auto domain = suspended();
  domain.dying = true;
  CHECK_FALSE(may_be_half_destroyed(domain));
  // What was not asked for does not count.
  domain = whole();
  domain.has_name = false;
  domain.devices.gone = true;
  CHECK(state_of(domain) == guest_state::running);
}

TEST_CASE("a domain's devices close when all of its disks do", "[xen]") {
  const std::string disks = std::string(disk_backends) + "/7/";
  std::map<std::string, std::string> values = {
      {"/libxl/7/device/console/0", ""},
      {"/libxl/7/type", "pvh"},
      {"/local/domain/7/store/port", "1"},
      {disks + "51712/state", "4"},
      {disks + "51728/state", "4"},
      {disks + "51712/online", "0"},
      {disks + "51728/online", "0"},
      // Of another domain.
      {std::string(disk_backends) + "/77/51712/state", "6"},
      {std::string(disk_backends) + "/77/51712/online", "0"},
  };
  CHECK_FALSE(devices_of(nodes_of(values), 7).gone);
  CHECK_FALSE(devices_of(nodes_of(values), 7).closing);
  values[disks + "51712/state"] = "5";
  CHECK_FALSE(devices_of(nodes_of(values), 7).closing);
  values[disks + "51728/state"] = "6";
  CHECK(devices_of(nodes_of(values), 7).closing);
  // By the guest: it may connect again.
  values[disks + "51712/online"] = "1";
  CHECK_FALSE(devices_of(nodes_of(values), 7).closing);
  values[disks + "51712/online"] = "0";
  for (const char* node : {"51728/state", "51728/online"}) {
    values.erase(disks + node);
  }
  CHECK(devices_of(nodes_of(values), 7).closing);
  for (const char* node : {"51712/state", "51712/online"}) {
    values.erase(disks + node);
  }
  CHECK_FALSE(devices_of(nodes_of(values), 7).closing);
  values.erase("/libxl/7/device/console/0");
  CHECK(devices_of(nodes_of(values), 7).gone);
  // xl still builds it.
  values.erase("/local/domain/7/store/port");
  CHECK_FALSE(devices_of(nodes_of(values), 7).gone);
  // Another tool stack's, or one that has lost its name before.
  CHECK_FALSE(devices_of(nodes_of(values), 77).gone);
  CHECK(devices_of(nodes_of(values), 77).closing);
}

}  // namespace teleport
