// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/loop_device.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/block_sysfs.hpp"

namespace teleport {

namespace {

/// How long udev's look at a device that has changed may take.
constexpr int release_attempts = 40;
constexpr std::chrono::milliseconds release_pause(50);

/// Another may take the free device that we were told of.
constexpr int attach_attempts = 64;

/// @return the status, none when nothing is attached
result<std::optional<loop_info64>> status_of(const std::string& device) {
  const unique_fd loop(::open(device.c_str(), O_RDONLY | O_CLOEXEC));
  if (!loop) {
    if (errno == ENXIO || errno == ENOENT) {
      return std::optional<loop_info64>();
    }
    return system_error(errno, "open " + device);
  }
  loop_info64 info{};
  if (::ioctl(loop.get(), LOOP_GET_STATUS64, &info) != 0) {
    if (errno == ENXIO || errno == ENOTTY || errno == EINVAL) {
      return std::optional<loop_info64>();
    }
    return system_error(errno, "ask " + device);
  }
  return std::optional(info);
}

bool covers_whole_file(const loop_info64& info) {
  return info.lo_offset == 0 && info.lo_sizelimit == 0 &&
         (info.lo_flags & LO_FLAGS_READ_ONLY) == 0;
}

bool is_loop(const std::string& device) {
  struct stat about {};
  return ::stat(device.c_str(), &about) == 0 && S_ISBLK(about.st_mode) &&
         major(about.st_rdev) == LOOP_MAJOR;
}

/// @return 0 or an errno value
int configure(const std::string& device, int file) {
  const unique_fd loop(::open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (!loop) {
    return errno;
  }
  loop_config config{};
  config.fd = static_cast<std::uint32_t>(file);
  // The guest sees this size. Over a disk with larger sectors the kernel
  // goes without direct I/O.
  config.block_size = sector_bytes;
  config.info.lo_flags = LO_FLAGS_DIRECT_IO;
  return ::ioctl(loop.get(), LOOP_CONFIGURE, &config) == 0 ? 0 : errno;
}

/// One attempt. The kernel defers a detach while others have the device open,
/// and then detaches at their last close: that is taken back.
result<bool> try_detach(const std::string& device) {
  {
    const unique_fd loop(::open(device.c_str(), O_RDWR | O_CLOEXEC));
    if (!loop) {
      return errno == ENXIO ? result<bool>(true)
                            : system_error(errno, "open " + device);
    }
    if (::fsync(loop.get()) != 0) {
      return system_error(errno, "flush " + device);
    }
    if (::ioctl(loop.get(), LOOP_CLR_FD) != 0 && errno != ENXIO &&
        errno != EBUSY) {
      return system_error(errno, "detach " + device);
    }
  }
  const unique_fd loop(::open(device.c_str(), O_RDWR | O_CLOEXEC));
  loop_info64 info{};
  if (!loop || ::ioctl(loop.get(), LOOP_GET_STATUS64, &info) != 0) {
    return true;
  }
  info.lo_flags &= ~static_cast<std::uint32_t>(LO_FLAGS_AUTOCLEAR);
  if (::ioctl(loop.get(), LOOP_SET_STATUS64, &info) != 0) {
    return system_error(errno, "keep " + device);
  }
  return false;
}

}  // namespace

result<std::string> attach_loop(const std::string& file,
                                const std::string& preferred) {
  const unique_fd backing(::open(file.c_str(), O_RDWR | O_CLOEXEC));
  if (!backing) {
    return system_error(errno, "open " + file);
  }
  if (!preferred.empty() && is_loop(preferred) &&
      configure(preferred, backing.get()) == 0) {
    return preferred;
  }
  const unique_fd control(::open("/dev/loop-control", O_RDWR | O_CLOEXEC));
  if (!control) {
    return system_error(errno, "open /dev/loop-control");
  }
  int failure = EBUSY;
  for (int i = 0; i < attach_attempts && failure == EBUSY; ++i) {
    const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
    if (number < 0) {
      return system_error(errno, "find a free loop device");
    }
    std::string device = "/dev/loop" + std::to_string(number);
    failure = configure(device, backing.get());
    if (failure == ENOENT) {
      // Made just now; udev may still have to make its node.
      std::this_thread::sleep_for(release_pause);
      failure = configure(device, backing.get());
    }
    if (failure == 0) {
      return device;
    }
  }
  return system_error(failure, "attach a loop device to " + file);
}

result<std::optional<std::string>> find_loop(const std::string& file) {
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0) {
    return system_error(errno, file);
  }
  std::error_code failed;
  for (const auto& entry :
       std::filesystem::directory_iterator("/sys/block", failed)) {
    const std::string name = entry.path().filename();
    if (name.substr(0, 4) != "loop" ||
        ::access((entry.path() / "loop").c_str(), F_OK) != 0) {
      continue;  // nothing is attached
    }
    std::string device = "/dev/" + name;
    const auto status = status_of(device);
    if (!status) {
      return status.error();
    }
    if (*status && (*status)->lo_device == about.st_dev &&
        (*status)->lo_inode == about.st_ino && covers_whole_file(**status)) {
      return std::optional(std::move(device));
    }
  }
  return std::optional<std::string>();
}

result<std::optional<loop_window>> window_of_loop(const std::string& device) {
  if (!is_loop(device)) {
    return std::optional<loop_window>();
  }
  const auto status = status_of(device);
  if (!status) {
    return status.error();
  }
  struct stat about {};
  if (!*status || ::stat(device.c_str(), &about) != 0) {
    return std::optional<loop_window>();
  }
  // The status has room for 64 characters only; sysfs knows the whole path.
  loop_window window;
  window.file = block_attribute(numbers_of(about.st_rdev), "loop/backing_file");
  if (::stat(window.file.c_str(), &about) != 0 ||
      about.st_dev != (*status)->lo_device ||
      about.st_ino != (*status)->lo_inode) {
    return error(errc::not_found,
                 "the file under " + device + " (" + window.file +
                     ") was deleted or cannot be reached");
  }
  window.offset = (*status)->lo_offset;
  window.limit = (*status)->lo_sizelimit;
  window.read_only = ((*status)->lo_flags & LO_FLAGS_READ_ONLY) != 0;
  return std::optional(std::move(window));
}

result<std::optional<std::string>> file_of_loop(const std::string& device) {
  auto window = window_of_loop(device);
  if (!window) {
    return window.error();
  }
  const bool whole = *window && (*window)->offset == 0 &&
                     (*window)->limit == 0 && !(*window)->read_only;
  return whole ? std::optional(std::move((*window)->file))
               : std::optional<std::string>();
}

result<void> detach_loop(const std::string& device) {
  if (!is_loop(device)) {
    return error(errc::bad_input, device + " is not a loop device");
  }
  for (int i = 0; i < release_attempts; ++i) {
    const auto detached = try_detach(device);
    if (!detached) {
      return detached.error();
    }
    if (*detached) {
      return {};
    }
    std::this_thread::sleep_for(release_pause);
  }
  return error(errc::busy, device + " is in use");
}

}  // namespace teleport
