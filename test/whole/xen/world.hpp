// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/world.hpp: what the false Xen of one host holds: its domains,
// each a JSON file, and its xenstore, each node a folder. All of it lies below
// /run and so is lost with the host's power, as Xen's own is.
//
// A domain's processors are a process, `guest`. It writes to the disks only
// while it holds the domain's run lock shared and the state is "running":
// whoever changes the state holds that lock alone, so that not one write
// begins after the change.
//
// Threads: any; each call locks by files, against other processes as well.
// Errors: std::runtime_error; a false world that breaks is a broken test.

#ifndef TEST_WHOLE_XEN_WORLD_HPP
#define TEST_WHOLE_XEN_WORLD_HPP

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/xen/toolstack.hpp"

namespace teleport::whole {

inline constexpr const char* world_folder = "/run/fake-xen";
inline constexpr const char* domain_folder = "/run/fake-xen/domains";
inline constexpr const char* failing_lists = "/run/fake-xen/failing-lists";
/// Of the harness, the same for both hosts: what the guest has acknowledged.
inline constexpr const char* witness_folder = "/witness";

struct world_disk {
  std::string vdev;
  /// What the configuration names.
  std::string path;
  /// The block device that the backend opened: "/dev/loop3".
  std::string device;
  unsigned major = 0;
  unsigned minor = 0;
  std::uint64_t size = 0;
  bool read_only = false;
  /// The path is a file; its loop device is the false hotplug script's.
  bool loop_is_ours = false;
};

/// A domain's devices, as far as its destruction has come.
enum class device_state {
  up,
  /// The backends were told to close; they have the disks open still.
  closing,
  /// The backends and their nodes are gone.
  gone,
};

struct domain {
  std::uint32_t domid = 0;
  /// Empty once its destruction has removed its tree from xenstore.
  std::string name;
  std::string uuid;
  guest_state state = guest_state::absent;
  std::uint64_t memory_kib = 0;
  /// As libxl keeps it.
  std::string config_json;
  std::vector<world_disk> disks;
  device_state devices = device_state::up;
  /// The guest's memory, as far as it matters: the last record that it has
  /// written. None in a guest that has not booted yet.
  std::optional<std::uint64_t> memory;
};

/// The lock that every change of the world holds.
[[nodiscard]] unique_fd lock_world();

[[nodiscard]] std::vector<domain> all_domains();
/// Whether the harness wants libxl to fail to make a list now; for each file of
/// a folder once.
[[nodiscard]] bool list_is_to_fail();
[[nodiscard]] std::optional<domain> find_domain(std::uint32_t domid);
/// By name, or by number in decimal.
[[nodiscard]] std::optional<domain> find_domain(const std::string& name_or_id);

/// A number that no domain had since this host's start.
[[nodiscard]] std::uint32_t next_domid();

/// Writes the domain as it is; the caller holds lock_world().
void put_domain(const domain& one);

/// Changes a domain while its guest does nothing. The caller holds no lock.
/// @return false when there is no such domain
bool change_domain(std::uint32_t domid,
                   const std::function<void(domain&)>& change);

/// Attaches the disks, writes the domain and its nodes, and starts its guest.
/// @param one  all but domid, and of each disk vdev, path and read_only
[[nodiscard]] std::uint32_t create_domain(domain one);
/// Ends the guest, detaches what was attached for it, and forgets it. May be
/// repeated after a process was killed in it.
///
/// Steps, in the order of libxl's libxl__destroy_domid(): destroy-closing (the
/// backends were told to close), destroy-devices (they are gone),
/// destroy-forgotten (name, tree and configuration are), destroy-dying (Xen has
/// begun to free its memory).
void destroy_domain(std::uint32_t domid);

/// What the hotplug script and the backend do for one disk: fills in the rest.
void attach_backend(world_disk& disk);
/// The backend's nodes of all disks. The caller holds lock_world().
void write_backend_nodes(const domain& one);

/// Tells of any change of any domain of this host.
class domain_watch {
 public:
  domain_watch();
  [[nodiscard]] int fd() const { return inotify_.get(); }
  /// Takes the events that are there.
  void drain() const;
  void add_folder(const std::string& folder) const;

 private:
  unique_fd inotify_;
};

/// The files that the run lock and the life of a domain's guest are locks on.
[[nodiscard]] std::string run_lock_path(std::uint32_t domid);
[[nodiscard]] std::string life_lock_path(std::uint32_t domid);

/// Locks a file, which is made when missing. Waits.
/// @param how  LOCK_SH or LOCK_EX
[[nodiscard]] unique_fd lock_file_at(const std::string& path, int how);

}  // namespace teleport::whole

#endif  // TEST_WHOLE_XEN_WORLD_HPP
