// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/donor_host.hpp: a host and its disks, made up, for tests of
// which of them the index shall hold and follow.

#ifndef TELEPORT_TEST_SUPPORT_DONOR_HOST_HPP
#define TELEPORT_TEST_SUPPORT_DONOR_HOST_HPP

#include <string>
#include <vector>

#include "test/support/print_error.hpp"
#include "tools/teleportd/donor_set.hpp"

namespace teleport {

using kind = path_facts::kind;

inline constexpr device_number root_disk{8, 2};

/// A host and its disks, as donor_view.hpp would have found them.
class fake_host {
 public:
  donor_view view;

  fake_host() {
    view.guests.emplace();
    view.targets.emplace();
  }
  void file(const std::string& path, std::uint64_t inode) {
    path_facts facts;
    facts.what = kind::file;
    facts.real = path;
    facts.on = root_disk;
    facts.inode = inode;
    view.paths[path] = facts;
  }
  /// What is not there; its folder is on the root disk.
  void no_file(const std::string& path, device_number on = root_disk) {
    view.paths[path].on = on;
  }
  void name(const std::string& path, device_number number) {
    path_facts facts;
    facts.what = kind::device;
    facts.number = number;
    view.paths[path] = facts;
  }
  device_facts& device(const std::string& node, device_number number) {
    name(node, number);
    view.devices[number].node = node;
    return view.devices[number];
  }
  void loop(unsigned minor, const std::string& file, bool attached = true) {
    device_facts& facts =
        device("/dev/loop" + std::to_string(minor), {7, minor});
    facts.is_loop = true;
    facts.attached = attached;
    facts.backing = file;
  }
  void volume(unsigned minor, const std::string& mapper) {
    device("/dev/dm-" + std::to_string(minor), {253, minor}).mapper = mapper;
    name(mapper, {253, minor});
  }
  void guest(device_number number,
             const std::string& path,
             bool writable = true) {
    view.guests->push_back({1, number.major, number.minor, path, writable});
  }
  /// @return its id
  std::uint32_t index(const std::string& path,
                      bool by_itself,
                      const std::string& identity = "file 8:2:11") {
    index::disk_record disk;
    disk.id = static_cast<std::uint32_t>(view.indexed.size() + 1);
    disk.path = path;
    disk.by_itself = by_itself;
    disk.identity = identity;
    view.indexed.push_back(disk);
    return disk.id;
  }
  [[nodiscard]] donor_plan plan() const { return choose_donors(view); }
};

using donors = std::vector<donor>;
using missing = std::vector<missing_donor>;

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_DONOR_HOST_HPP
