// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/donor_view.hpp: what is on this host that could be indexed:
// guests' disks, images in folders, loop devices, what is indexed already.
// Plain values for choose_donors() (donor_set.hpp), and the functions that
// gather them.
//
// Threads: any. Blocks: stat, sysfs and small files; opens no disk.
// Trust: names come from the administrator, the toolstack and the kernel; what
// a name means is looked up, never believed.

#ifndef TOOLS_TELEPORTD_DONOR_VIEW_HPP
#define TOOLS_TELEPORTD_DONOR_VIEW_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "index/format.hpp"
#include "libteleport/xen/running_disks.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

struct device_number {
  unsigned major = 0;
  unsigned minor = 0;
  friend bool operator==(const device_number&, const device_number&) = default;
  friend bool operator<(const device_number& a, const device_number& b) {
    return std::tie(a.major, a.minor) < std::tie(b.major, b.minor);
  }
};

/// What a path names at this moment.
struct path_facts {
  enum class kind {
    absent,       ///< nothing is there
    unreachable,  ///< it cannot be told: a failing or forbidden filesystem
    file,
    device,
    other,
  };
  kind what = kind::absent;
  /// A file's path without symbolic links.
  std::string real;
  /// A file's filesystem; of what is absent, that of the folder it was in.
  device_number on;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;  ///< a file's
  /// A device's own.
  device_number number;
};

/// A block device as sysfs has it; paths are as udev names them, to be checked
/// with what they name.
struct device_facts {
  std::string node;    ///< "/dev/loop3", "/dev/sda1", "/dev/dm-2"
  std::string mapper;  ///< "/dev/mapper/NAME"; else empty
  std::string uuid;    ///< the device mapper's; else empty
  bool is_loop = false;
  /// A loop device: something lies under it.
  bool attached = false;
  /// A loop device over a whole file that still has this name; else empty.
  std::string backing;
};

struct donor_view {
  /// None: not asked for, or xenstored does not tell.
  std::optional<std::vector<running_disk>> guests;
  /// Their disks are to be indexed, though nobody named them.
  bool adds_guests = true;
  /// Images in the watched folders.
  std::vector<std::string> images;
  std::vector<index::disk_record> indexed;
  /// Listed by hand once, in an index that was lost.
  std::vector<std::string> lost;
  /// Disks that a teleport writes or has left half written. None: it cannot be
  /// told, so nothing new may be added.
  std::optional<std::vector<std::string>> targets;
  /// Ids of disks that have been gone for so long that they will not come back.
  std::set<std::uint32_t> long_gone;

  std::map<std::string, path_facts> paths;
  std::map<device_number, device_facts> devices;
};

/// Where to look, but for tests.
struct host_roots {
  std::string sysfs = "/sys";
  std::string devices = "/dev";
};

[[nodiscard]] path_facts look_at_path(const std::string& path);

/// @return none when there is no such device
[[nodiscard]] std::optional<device_facts> look_at_device(
    device_number number, const host_roots& roots = {});

/// Images directly in the folder, by name: regular files, not hidden, of a
/// disk's size, with something in them. A target is empty when it is made, so
/// it is not among them before the book of kept disks knows of it.
[[nodiscard]] std::vector<std::string> images_in(const std::string& folder);

/// Files and volumes that a teleport writes or has left half written.
[[nodiscard]] result<std::vector<std::string>> targets_on(
    const settings& options);

/// Fills `paths` and `devices` with all that the rest of the view names, and
/// all loop devices.
void resolve(donor_view& view, const host_roots& roots = {});

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_DONOR_VIEW_HPP
