// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/whole/xen/backend.cpp: world.hpp's making and ending of domains: what
// libxl, its hotplug scripts and the block backend do for one.

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <linux/fs.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libteleport/disk/loop_device.hpp"
#include "libteleport/xen/running_disks.hpp"
#include "test/whole/xen/store.hpp"
#include "test/whole/xen/world.hpp"

namespace teleport::whole {

namespace {

/// The guest's end of the life lock: held for as long as its process lives.
constexpr int life_fd = 3;

std::string backend_node(std::uint32_t domid) {
  return std::string(disk_backends) + "/" + std::to_string(domid);
}

/// The guest's process: of no terminal and no pipe of ours, in no group of
/// ours, and left to init.
void start_guest(const domain& one, const unique_fd& life) {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_addopen(
      &actions, 2, "/var/log/guests.log", O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, life.get(), life_fd);
  posix_spawn_file_actions_addclosefrom_np(&actions, life_fd + 1);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::string program = "/opt/whole/guest";
  std::string domid = std::to_string(one.domid);
  std::array<char*, 3> argv{program.data(), domid.data(), nullptr};
  pid_t pid = -1;
  const int failure = ::posix_spawn(
      &pid, program.c_str(), &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failure != 0) {
    throw std::system_error(failure, std::generic_category(), program);
  }
}

}  // namespace

void attach_backend(world_disk& disk) {
  struct stat about {};
  if (::stat(disk.path.c_str(), &about) != 0) {
    throw std::system_error(errno, std::generic_category(), disk.path);
  }
  disk.device = disk.path;
  if (S_ISREG(about.st_mode)) {
    auto loop = attach_loop(disk.path, "");
    if (!loop) {
      throw std::runtime_error(loop.error().context);
    }
    disk.device = *loop;
    disk.loop_is_ours = true;
  }
  const unique_fd opened(::open(disk.device.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened || ::fstat(opened.get(), &about) != 0 ||
      ::ioctl(opened.get(), BLKGETSIZE64, &disk.size) != 0) {
    throw std::system_error(errno, std::generic_category(), disk.device);
  }
  disk.major = major(about.st_rdev);
  disk.minor = minor(about.st_rdev);
}

/// The nodes as blkback has them once it is connected.
void write_backend_nodes(const domain& one) {
  unsigned device_id = 51712;  // xvda; 16 to the next
  for (const world_disk& disk : one.disks) {
    const std::string node =
        backend_node(one.domid) + "/" + std::to_string(device_id);
    device_id += 16;
    std::array<char, 32> numbers{};
    static_cast<void>(std::snprintf(
        numbers.data(), numbers.size(), "%x:%x", disk.major, disk.minor));
    write_node(node + "/physical-device", numbers.data());
    write_node(node + "/params", disk.path);
    write_node(node + "/mode", disk.read_only ? "r" : "w");
    write_node(node + "/dev", disk.vdev);
    write_node(node + "/state", "4");
  }
}

std::uint32_t create_domain(domain one) {
  const unique_fd world = lock_world();
  one.domid = next_domid();
  for (world_disk& disk : one.disks) {
    attach_backend(disk);
  }
  write_backend_nodes(one);
  write_node(shutdown_node(one.domid), "");
  put_domain(one);
  const unique_fd life = lock_file_at(life_lock_path(one.domid), LOCK_EX);
  start_guest(one, life);
  return one.domid;
}

void destroy_domain(std::uint32_t domid) {
  const bool there =
      change_domain(domid, [](domain& one) { one.state = guest_state::dying; });
  if (!there) {
    return;
  }
  // Its guest has seen that it dies, and closed its disks, when this is ours.
  const unique_fd ended = lock_file_at(life_lock_path(domid), LOCK_EX);
  const unique_fd world = lock_world();
  const auto one = find_domain(domid);
  if (!one) {
    return;
  }
  remove_node(backend_node(domid));
  remove_node("/local/domain/" + std::to_string(domid));
  for (const world_disk& disk : one->disks) {
    if (disk.loop_is_ours) {
      static_cast<void>(detach_loop(disk.device));
    }
  }
  const std::string stem =
      std::string(domain_folder) + "/" + std::to_string(domid);
  for (const char* ending : {".json", ".run", ".life"}) {
    std::filesystem::remove(stem + ending);
  }
}

}  // namespace teleport::whole
