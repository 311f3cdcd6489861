// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/facts.hpp: what is known of a guest and of a host, as plain
// values: no libxl here, so that pure code can name them.
//
// Threads: plain values.

#ifndef LIBTELEPORT_XEN_FACTS_HPP
#define LIBTELEPORT_XEN_FACTS_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "libteleport/base/units.hpp"

namespace teleport {

/// Drives that a guest's facts may list, empty ones included. Of these at most
/// max_disks hold a disk and are moved.
inline constexpr std::size_t max_drives = 4 * max_disks;

/// One virtual disk of a running guest.
struct guest_disk {
  /// The guest's name for it: "xvda".
  std::string vdev;
  /// The block device that the backend opened, as a path that opens the same
  /// device: "/dev/loop0", "/dev/dm-3". Empty for an empty drive.
  std::string device;
  /// What the configuration names: "/dev/vg0/web". Empty for an empty drive.
  std::string configured_path;
  /// Bytes.
  std::uint64_t size = 0;
  bool read_only = false;
  /// "phy" (in-kernel blkback), "qdisk", "tap", "standalone" or "unknown".
  std::string backend;
  bool is_cdrom = false;
  /// Of `device`; both 0 when the backend has no block device.
  unsigned major = 0;
  unsigned minor = 0;

  [[nodiscard]] bool is_empty() const { return configured_path.empty(); }
  friend bool operator==(const guest_disk&, const guest_disk&) = default;
};

/// One guest, as found at the source.
struct guest_info {
  std::uint32_t domid = 0;
  std::string name;
  /// 8-4-4-4-12 lower-case hexadecimal digits.
  std::string uuid;
  /// "pv", "pvh" or "hvm".
  std::string type;
  std::uint64_t max_memory_kib = 0;
  unsigned vcpus = 0;
  /// libxl's own JSON of the whole configuration.
  std::string config_json;
  std::vector<guest_disk> disks;
  std::vector<std::string> bridges;
  /// Kernel, ramdisk and firmware paths that the configuration names. They are
  /// not needed to arrive but to reboot afterwards.
  std::vector<std::string> boot_files;
  /// PCI, USB or device-tree devices given to the guest.
  bool has_passthrough = false;

  friend bool operator==(const guest_info&, const guest_info&) = default;
};

/// What a host is and has.
struct host_facts {
  /// "4.17": major.minor.
  std::string xen_version;
  /// What follows it: ".5".
  std::string xen_extra;
  /// Free for new guests now; dom0 is not asked to give memory back.
  std::uint64_t free_memory_kib = 0;
  /// libxl's hw_cap: CPUID words of the host's processors (preflight.hpp).
  std::vector<std::uint32_t> cpu_capabilities;
  std::vector<std::string> guest_names;
  std::vector<std::string> guest_uuids;
  /// Hardware assisted paging: PVH and HVM guests can be migrated live.
  bool hap = false;

  friend bool operator==(const host_facts&, const host_facts&) = default;
};

/// One reason not to begin.
struct problem {
  /// For programs: "name_clash". Never renamed.
  std::string code;
  /// For people: what is wrong and what to do about it.
  std::string sentence;

  friend bool operator==(const problem&, const problem&) = default;
};

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_FACTS_HPP
