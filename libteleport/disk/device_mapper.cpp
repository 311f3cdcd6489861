// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/device_mapper.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

namespace {

constexpr std::size_t request_room = 4096;

/// For a table of some ten thousand pieces.
constexpr std::size_t max_table_room = request_room << 10U;

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

/// The child's whole life: suspends the device, says so, and resumes it when it
/// is told to, or when the teleport is gone. Each step's errno value, or 0, is
/// sent over the link. It is the fork of a program with threads: system calls
/// only.
[[noreturn]] void hold_suspended(int link, int control, std::uint64_t device) {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  // Who kills the teleport by its name or its terminal does not mean this one.
  ::setsid();
  ::prctl(PR_SET_NAME, "tp-drain");
  int failure = set_suspended(control, device, true);
  ::send(link, &failure, sizeof(failure), MSG_NOSIGNAL);
  if (failure == 0) {
    char told = 0;
    while (::read(link, &told, 1) < 0 && errno == EINTR) {
    }
    failure = set_suspended(control, device, false);
    for (int i = 0; failure == EINTR && i < 100; ++i) {
      failure = set_suspended(control, device, false);
    }
    ::send(link, &failure, sizeof(failure), MSG_NOSIGNAL);
  }
  ::_exit(0);
}

/// What the child did: 0 or an errno value.
int next_step(int link) {
  int failure = 0;
  ssize_t got = 0;
  do {
    got = ::recv(link, &failure, sizeof(failure), MSG_WAITALL);
  } while (got < 0 && errno == EINTR);
  return got == sizeof(failure) ? failure : ECHILD;
}

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

result<std::uint64_t> table_digest(std::uint64_t device) {
  const unique_fd control = open_control();
  if (!control) {
    const bool absent = errno == ENOENT || errno == ENODEV || errno == ENXIO;
    return absent ? result<std::uint64_t>(0)
                  : system_error(errno, "open /dev/mapper/control");
  }
  for (std::size_t room = request_room; room <= max_table_room; room *= 4) {
    byte_buffer memory(room);
    dm_ioctl request =
        request_for(device, DM_STATUS_TABLE_FLAG | DM_NOFLUSH_FLAG);
    request.data_size = static_cast<std::uint32_t>(room);
    std::memcpy(memory.data(), &request, sizeof(request));
    if (::ioctl(control.get(), DM_TABLE_STATUS, memory.data()) != 0) {
      return errno == ENXIO ? result<std::uint64_t>(0)
                            : system_error(errno, "ask for a device's table");
    }
    std::memcpy(&request, memory.data(), sizeof(request));
    if ((request.flags & DM_BUFFER_FULL_FLAG) != 0) {
      continue;
    }
    sha256_stream sha;
    sha.update(byte_span(memory).subspan(
        request.data_start,
        std::clamp<std::size_t>(request.data_size, request.data_start, room) -
            request.data_start));
    return load_le<std::uint64_t>(byte_span(sha.finish()));
  }
  return error(errc::unsupported, "the device's table is too long");
}

result<void> drain_writes(std::uint64_t device,
                          const std::function<void()>& quiet) {
  const unique_fd control = open_control();
  if (!control) {
    return system_error(errno, "open /dev/mapper/control");
  }
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_error(errno, "socket for suspending the device");
  }
  unique_fd link(ends[0]);
  unique_fd theirs(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) {
    return system_error(errno, "process for suspending the device");
  }
  if (child == 0) {
    ::close(link.get());
    hold_suspended(theirs.get(), control.get(), device);
  }
  theirs.reset();
  const int suspended = next_step(link.get());
  if (suspended == 0) {
    quiet();
  }
  static_cast<void>(::shutdown(link.get(), SHUT_WR));
  const int resumed = suspended == 0 ? next_step(link.get()) : 0;
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (resumed != 0) {
    log_error("a disk stays suspended: run dmsetup resume by hand");
    return system_error(resumed, "resume the device");
  }
  return suspended == 0
             ? result<void>()
             : result<void>(system_error(suspended, "suspend the device"));
}

}  // namespace teleport
