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
#include <linux/loop.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libteleport/disk/loop_device.hpp"
#include "libteleport/xen/running_disks.hpp"
#include "test/whole/xen/step.hpp"
#include "test/whole/xen/store.hpp"
#include "test/whole/xen/world.hpp"

namespace teleport::whole {

namespace {

/// The guest's end of the life lock: held for as long as its process lives.
constexpr int life_fd = 3;

std::string backend_node(std::uint32_t domid) {
  return std::string(disk_backends) + "/" + std::to_string(domid);
}

std::string libxl_node(std::uint32_t domid) {
  return "/libxl/" + std::to_string(domid);
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
    write_node(node + "/online", "1");
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
  write_node("/local/domain/" + std::to_string(one.domid) + "/store/port", "1");
  write_node(libxl_node(one.domid) + "/type", "pvh");
  write_node(libxl_node(one.domid) + "/device/console/0", "");
  write_node(shutdown_node(one.domid), "");
  put_domain(one);
  const unique_fd life = lock_file_at(life_lock_path(one.domid), LOCK_EX);
  start_guest(one, life);
  return one.domid;
}

namespace {

void close_backends(std::uint32_t domid) {
  change_domain(domid, [](domain& one) {
    // As xc_domain_pause() does: a domain that has shut down stays so.
    one.state =
        one.state == guest_state::running ? guest_state::paused : one.state;
    if (one.devices != device_state::up) {
      return;
    }
    one.devices = device_state::closing;
    for (const std::string& device : list_nodes(backend_node(one.domid))) {
      write_node(backend_node(one.domid) + "/" + device + "/online", "0");
      write_node(backend_node(one.domid) + "/" + device + "/state", "5");
    }
  });
}

/// As the hotplug script's `losetup -d`: at once, or at its last close.
void remove_loop(const std::string& device) {
  const unique_fd loop(::open(device.c_str(), O_RDWR | O_CLOEXEC));
  static_cast<void>(::ioctl(loop.get(), LOOP_CLR_FD));
}

void remove_devices(std::uint32_t domid) {
  change_domain(domid, [](domain& one) { one.devices = device_state::gone; });
  // Its guest has seen that, and closed its disks, when this is ours.
  const unique_fd ended = lock_file_at(life_lock_path(domid), LOCK_EX);
  change_domain(domid, [](domain& one) {
    for (const world_disk& disk : one.disks) {
      if (disk.loop_is_ours) {
        remove_loop(disk.device);
      }
    }
    one.disks.clear();
    remove_node(backend_node(one.domid));
    remove_node(libxl_node(one.domid) + "/device");
  });
}

void forget(std::uint32_t domid) {
  change_domain(domid, [](domain& one) {
    one.name.clear();
    one.config_json.clear();
    remove_node("/local/domain/" + std::to_string(one.domid));
    remove_node(libxl_node(one.domid));
  });
}

void destroy_in_xen(std::uint32_t domid) {
  change_domain(domid, [](domain& one) { one.state = guest_state::dying; });
}

}  // namespace

void destroy_domain(std::uint32_t domid) {
  const auto step = [&](const char* name, void (*act)(std::uint32_t)) {
    static_cast<void>(before(name));
    act(domid);
    after(name);
  };
  step("destroy-closing", close_backends);
  step("destroy-devices", remove_devices);
  step("destroy-forgotten", forget);
  step("destroy-dying", destroy_in_xen);
  const unique_fd world = lock_world();
  const std::string stem =
      std::string(domain_folder) + "/" + std::to_string(domid);
  for (const char* ending : {".json", ".run", ".life"}) {
    std::filesystem::remove(stem + ending);
  }
}

}  // namespace teleport::whole
