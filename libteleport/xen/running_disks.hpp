// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/running_disks.hpp: the block devices of this host that guests
// have as their disks now, as blkback's nodes in xenstore tell. A node whose
// domain Xen has no more names no disk: every reader of users gets them from
// here, so that none takes such a node for one.
//
// Threads: any. Blocks: on xenstored, for some hundred short answers, and Xen.
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
#include "libteleport/xen/guest_seen.hpp"

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

/// Disks, and who has them.
struct guest_disks {
  /// A disk that several guests have comes several times.
  std::vector<running_disk> disks;
  /// All that Xen has, the dying ones too, as it was asked after the disks: a
  /// guest that came in between is among them. Empty where there is no disk,
  /// or Xen cannot be asked.
  std::vector<guest_seen> guests;
};

/// Every disk of every guest that has a block device. Those being torn down are
/// left out.
///
/// @error errc::system, errc::not_found: xenstored cannot be reached
[[nodiscard]] result<std::vector<running_disk>> running_guest_disks();

/// The same with those that are being torn down: a backend has the device open
/// until its node is gone.
[[nodiscard]] result<guest_disks> held_guest_disks();

/// Those of domains that Xen has. A program that is killed while it gives a
/// domain its disks leaves nodes behind, which nobody removes once the domain
/// is gone; the device itself is nobody's then, as Xen keeps a domain for as
/// long as a backend maps its memory.
///
/// @param disks   were looked at before the guests
/// @param guests  all that Xen has, the dying ones too
[[nodiscard]] std::vector<running_disk> without_departed(
    std::vector<running_disk> disks, const std::vector<guest_seen>& guests);

/// What the nodes say, from a caller who reads them; departed domains' as well.
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
