// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/device_mapper.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

namespace {

constexpr std::size_t request_room = 4096;

/// A request and the room for its answer.
struct alignas(dm_ioctl) request_memory {
  std::array<std::byte, request_room> bytes{};
};

dm_ioctl request_for(std::uint64_t device, std::uint32_t flags) {
  dm_ioctl request{};
  request.version[0] = DM_VERSION_MAJOR;
  request.data_size = request_room;
  request.data_start = sizeof(dm_ioctl);
  request.flags = flags;
  request.dev = device;
  return request;
}

unique_fd open_control() {
  return unique_fd(::open("/dev/mapper/control", O_RDWR | O_CLOEXEC));
}

/// @return 0 or an errno value
int set_suspended(int control, std::uint64_t device, bool suspended) {
  request_memory memory;
  const std::uint32_t flags =
      DM_SKIP_LOCKFS_FLAG | (suspended ? DM_SUSPEND_FLAG : 0U);
  const dm_ioctl request = request_for(device, flags);
  std::memcpy(memory.bytes.data(), &request, sizeof(request));
  return ::ioctl(control, DM_DEV_SUSPEND, memory.bytes.data()) == 0 ? 0 : errno;
}

/// Holds signals back, so that none of them ends us while a device is
/// suspended.
class without_signals {
 public:
  without_signals() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  without_signals(const without_signals&) = delete;
  without_signals& operator=(const without_signals&) = delete;
  without_signals(without_signals&&) = delete;
  without_signals& operator=(without_signals&&) = delete;
  ~without_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

bool is_thin_volume(int device_fd) {
  struct stat about {};
  const unique_fd control = open_control();
  if (!control || ::fstat(device_fd, &about) != 0) {
    return false;
  }
  request_memory memory;
  dm_ioctl request =
      request_for(about.st_rdev, DM_STATUS_TABLE_FLAG | DM_NOFLUSH_FLAG);
  std::memcpy(memory.bytes.data(), &request, sizeof(request));
  if (::ioctl(control.get(), DM_TABLE_STATUS, memory.bytes.data()) != 0) {
    return false;  // not a device-mapper device
  }
  std::memcpy(&request, memory.bytes.data(), sizeof(request));
  if (request.target_count != 1 || (request.flags & DM_BUFFER_FULL_FLAG) != 0 ||
      request.data_start > request_room - sizeof(dm_target_spec)) {
    return false;
  }
  dm_target_spec target{};
  std::memcpy(
      &target, memory.bytes.data() + request.data_start, sizeof(target));
  target.target_type[DM_MAX_TYPE_NAME - 1] = '\0';
  return std::string_view(target.target_type) == "thin";
}

result<void> drain_writes(std::uint64_t device,
                          const std::function<void()>& quiet) {
  const unique_fd control = open_control();
  if (!control) {
    return system_error(errno, "open /dev/mapper/control");
  }
  const without_signals guard;
  if (const int failure = set_suspended(control.get(), device, true);
      failure != 0) {
    return system_error(failure, "suspend the device");
  }
  quiet();
  int failure = set_suspended(control.get(), device, false);
  for (int i = 0; failure == EINTR && i < 100; ++i) {
    failure = set_suspended(control.get(), device, false);
  }
  if (failure != 0) {
    log_error("a disk stays suspended: run dmsetup resume by hand");
    return system_error(failure, "resume the device");
  }
  return {};
}

}  // namespace teleport
