// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/running_disks_test.cpp: guests' disks from the nodes of their
// backends.

#include "libteleport/xen/running_disks.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "libteleport/xen/disk_users.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

/// A tree of nodes, by path below that of the backends.
class fake_nodes {
 public:
  void set(const std::string& path, const std::string& value) {
    values_[std::string(disk_backends) + "/" + path] = value;
  }
  /// A disk as libxl and the hotplug scripts make it.
  void disk(const std::string& at, const std::string& numbers) {
    set(at + "/physical-device", numbers);
    set(at + "/params", "/dev/vg0/web");
    set(at + "/mode", "w");
    set(at + "/state", "4");
  }
  void remove(const std::string& path) {
    values_.erase(std::string(disk_backends) + "/" + path);
  }
  [[nodiscard]] std::vector<running_disk> find() const {
    return find_running_disks(reader());
  }
  [[nodiscard]] std::vector<running_disk> find_held() const {
    return find_held_disks(reader());
  }

 private:
  [[nodiscard]] node_reader reader() const {
    return {[this](const std::string& path) { return children(path); },
            [this](const std::string& path) -> std::optional<std::string> {
              const auto found = values_.find(path);
              return found == values_.end() ? std::nullopt
                                            : std::optional(found->second);
            }};
  }
  [[nodiscard]] std::vector<std::string> children(
      const std::string& path) const {
    std::vector<std::string> names;
    const std::string prefix = path + "/";
    for (const auto& [key, value] : values_) {
      if (!key.starts_with(prefix)) {
        continue;
      }
      const std::string name = key.substr(
          prefix.size(), key.find('/', prefix.size()) - prefix.size());
      if (names.empty() || names.back() != name) {
        names.push_back(name);
      }
    }
    return names;
  }
  std::map<std::string, std::string> values_;
};

}  // namespace

TEST_CASE("the disks of guests are found, with their device's numbers",
          "[xen]") {
  fake_nodes nodes;
  CHECK(nodes.find().empty());
  nodes.disk("3/51712", "fd:1a");
  nodes.disk("12/51728", "7:3");
  nodes.set("12/51728/mode", "r");
  nodes.set("12/51728/params", "/var/lib/xen/images/a b.img");
  CHECK(nodes.find() == std::vector<running_disk>{
                            {12, 7, 3, "/var/lib/xen/images/a b.img", false},
                            {3, 0xfd, 0x1a, "/dev/vg0/web", true}});
}

TEST_CASE("what is no guest's running disk is left out", "[xen]") {
  fake_nodes nodes;
  SECTION("dom0 has attached it for itself") {
    nodes.disk("0/51712", "7:3");
  }
  SECTION("no guest has such a number") {
    const auto* const guest =
        GENERATE("", "x", "-1", "3x", "32752", "4294967299");
    nodes.disk(std::string(guest) + "/51712", "7:3");
  }
  SECTION("it is being torn down, or half made") {
    nodes.disk("3/51712", "7:3");
    const auto* const state = GENERATE("5", "6", "0", "7", "44", "", "x");
    nodes.set("3/51712/state", state);
  }
  SECTION("it has no state") {
    nodes.disk("3/51712", "7:3");
    nodes.remove("3/51712/state");
  }
  SECTION("it has no block device") {
    nodes.disk("3/51712", "7:3");
    nodes.remove("3/51712/physical-device");
  }
  SECTION("its block device has odd numbers") {
    const auto* const numbers = GENERATE("",
                                         ":",
                                         "7",
                                         "7:",
                                         ":3",
                                         "7:3 ",
                                         " 7:3",
                                         "7:3:1",
                                         "-7:3",
                                         "0x7:3",
                                         "g:1",
                                         "1000:1",
                                         "1:100000",
                                         "123456789abcdef:1");
    nodes.disk("3/51712", numbers);
  }
  CHECK(nodes.find().empty());
}

TEST_CASE("a disk that is being torn down is held until its node is gone",
          "[xen]") {
  fake_nodes nodes;
  nodes.disk("3/51712", "7:3");
  const auto* const state = GENERATE("1", "4", "5", "6");
  nodes.set("3/51712/state", state);
  CHECK(nodes.find_held().size() == 1);
  nodes.set("3/51712/state", GENERATE("0", "7", "x", ""));
  CHECK(nodes.find_held().empty());
}

TEST_CASE("a disk's node that outlived its domain names no user", "[xen]") {
  const std::vector<running_disk> disks = {{1, 7, 0, "/dev/loop0", true},
                                           {2, 7, 1, "/dev/loop1", true}};
  const guest_seen dying = {2, "", guest_state::dying, "", 0};
  CHECK(without_departed(disks, {dying}) ==
        std::vector<running_disk>{disks.back()});
  CHECK(without_departed(disks, {}).empty());
}

TEST_CASE("a user of a disk of whom nothing else is known is dying", "[xen]") {
  const disk_users users({}, {{3, "web1", guest_state::running, "uuid", 0}});
  CHECK(users.user(3).name == "web1");
  CHECK(users.user(3).state == guest_state::running);
  CHECK(users.user(4).domid == 4);
  CHECK(users.user(4).state == guest_state::dying);
}

TEST_CASE("a disk's path counts only when it is one", "[xen]") {
  fake_nodes nodes;
  nodes.disk("3/51712", "7:3");
  const auto* const path = GENERATE("", "aio:/a.img", "vg0/web", "/a\nb");
  nodes.set("3/51712/params", path);
  CHECK(nodes.find() == std::vector<running_disk>{{3, 7, 3, "", true}});
  nodes.set("3/51712/params", "/" + std::string(5000, 'a'));
  CHECK(nodes.find().front().path.empty());
  nodes.remove("3/51712/params");
  nodes.remove("3/51712/mode");
  CHECK(nodes.find() == std::vector<running_disk>{{3, 7, 3, "", false}});
}

TEST_CASE("a driver domain's disk is not taken for one of dom0's", "[xen]") {
  CHECK(is_dom0_backend("/local/domain/0/backend/vbd/7/51712"));
  CHECK_FALSE(is_dom0_backend("/local/domain/3/backend/vbd/7/51712"));
  CHECK_FALSE(is_dom0_backend("/local/domain/01/backend/vbd/7/51712"));
  CHECK_FALSE(is_dom0_backend(""));
}

TEST_CASE("without xenstored there is an answer at once", "[xen]") {
  // Whether it runs or not: this returns.
  (void)running_guest_disks();
  CHECK(read_physical_device("fff:fffff") == device_pair{0xfff, 0xfffff});
}

}  // namespace teleport
