// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/disk_users.hpp: which guests of this host have a disk now,
// whatever path they named for it: two loop devices over one file are one disk.
// blkback holds no exclusive claim on its devices, so the kernel cannot tell.
//
// Threads: look() any; the value is plain. Blocks: look() on xenstored, Xen and
// sysfs.

#ifndef LIBTELEPORT_XEN_DISK_USERS_HPP
#define LIBTELEPORT_XEN_DISK_USERS_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/disk_identity.hpp"
#include "libteleport/xen/guest_seen.hpp"
#include "libteleport/xen/running_disks.hpp"

namespace teleport {

class disk_users {
 public:
  /// A guest's disk; no identity where it cannot be told.
  struct use {
    running_disk disk;
    std::optional<disk_identity> identity;
  };

  /// @param guests  as guest_disks has them
  explicit disk_users(std::vector<use> uses = {},
                      std::vector<guest_seen> guests = {})
      : uses_(std::move(uses)), guests_(std::move(guests)) {}

  /// Those of this moment; none on a host without Xen.
  ///
  /// @error errc::system when xenstored is there and does not answer
  [[nodiscard]] static result<disk_users> look();

  /// Domids of the guests that have this disk, each once.
  [[nodiscard]] std::vector<std::uint32_t> of(
      const disk_identity& identity) const;
  /// The same of the disk at a path: by its identity, and a block device by
  /// its numbers as well.
  [[nodiscard]] std::vector<std::uint32_t> of(const std::string& path) const;
  /// The user with this domid; as a dying one where nothing is known of it.
  [[nodiscard]] guest_seen user(std::uint32_t domid) const;

 private:
  std::vector<use> uses_;
  std::vector<guest_seen> guests_;
};

/// "/dev/..." of a block device by its numbers, checked to be that device; ""
/// where it has no node.
[[nodiscard]] std::string path_of_device(unsigned major, unsigned minor);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_DISK_USERS_HPP
