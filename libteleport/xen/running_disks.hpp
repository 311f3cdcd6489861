// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/running_disks.hpp: the block devices of this host that guests
// have as their disks now, as blkback's nodes in xenstore tell.
//
// Threads: any. Blocks: on xenstored, for some hundred short answers.
// Trust: the nodes are the toolstack's and the backend's, no guest can write
// them; what they hold is checked all the same, and what is odd is left out.

#ifndef LIBTELEPORT_XEN_RUNNING_DISKS_HPP
#define LIBTELEPORT_XEN_RUNNING_DISKS_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport {

/// Where the nodes of dom0's disk backends lie: GUEST/DEVICE below it.
inline constexpr const char* disk_backends = "/local/domain/0/backend/vbd";

struct running_disk {
  std::uint32_t domid = 0;
  /// Of the block device.
  unsigned major = 0;
  unsigned minor = 0;
  /// What the configuration names, when it is an absolute path; it may have
  /// come to mean another device since. Else empty.
  std::string path;
  bool writable = false;

  friend bool operator==(const running_disk&, const running_disk&) = default;
};

/// Every disk of every guest that has a block device; a disk that several
/// guests have comes several times. Those being torn down are left out.
///
/// @error errc::system, errc::not_found: xenstored cannot be reached
[[nodiscard]] result<std::vector<running_disk>> running_guest_disks();

/// The same with those that are being torn down: a backend has the device open
/// until its node is gone.
[[nodiscard]] result<std::vector<running_disk>> held_guest_disks();

/// The same from nodes that the caller reads.
struct node_reader {
  std::function<std::vector<std::string>(const std::string&)> list;
  std::function<std::optional<std::string>(const std::string&)> read;
};
[[nodiscard]] std::vector<running_disk> find_running_disks(
    const node_reader& nodes);
[[nodiscard]] std::vector<running_disk> find_held_disks(
    const node_reader& nodes);

/// @return the domain that has the device; 0: none has, or several have
[[nodiscard]] std::uint32_t only_guest_of(
    const std::vector<running_disk>& disks, unsigned major, unsigned minor);

/// Whether a backend's directory in xenstore is dom0's own. That of a driver
/// domain is written by that domain, and its devices' numbers are its own.
[[nodiscard]] bool is_dom0_backend(std::string_view directory);

/// Blkback's "physical-device": MAJOR:MINOR, both hexadecimal.
struct device_pair {
  unsigned major = 0;
  unsigned minor = 0;
  friend bool operator==(const device_pair&, const device_pair&) = default;
};
[[nodiscard]] std::optional<device_pair> read_physical_device(
    std::string_view text);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_RUNNING_DISKS_HPP
