// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/device_mapper.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"

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

}  // namespace

unique_fd open_mapper_control() {
  return unique_fd(::open("/dev/mapper/control", O_RDWR | O_CLOEXEC));
}

int set_mapped_suspended(int control, std::uint64_t device, bool suspended) {
  request_memory memory;
  const std::uint32_t flags =
      DM_SKIP_LOCKFS_FLAG | (suspended ? DM_SUSPEND_FLAG : 0U);
  const dm_ioctl request = request_for(device, flags);
  std::memcpy(memory.bytes.data(), &request, sizeof(request));
  return ::ioctl(control, DM_DEV_SUSPEND, memory.bytes.data()) == 0 ? 0 : errno;
}

result<mapped_state> state_of_mapped(std::uint64_t device) {
  const unique_fd control = open_mapper_control();
  if (!control) {
    return system_error(errno, "open /dev/mapper/control");
  }
  request_memory memory;
  dm_ioctl request = request_for(device, DM_NOFLUSH_FLAG);
  std::memcpy(memory.bytes.data(), &request, sizeof(request));
  if (::ioctl(control.get(), DM_DEV_STATUS, memory.bytes.data()) != 0) {
    return system_error(errno, "ask for a device's state");
  }
  std::memcpy(&request, memory.bytes.data(), sizeof(request));
  mapped_state state;
  state.name.assign(request.name,
                    ::strnlen(request.name, sizeof(request.name)));
  state.uuid.assign(request.uuid,
                    ::strnlen(request.uuid, sizeof(request.uuid)));
  state.suspended = (request.flags & DM_SUSPEND_FLAG) != 0;
  state.has_next_table = (request.flags & DM_INACTIVE_PRESENT_FLAG) != 0;
  return state;
}

bool is_thin_volume(int device_fd) {
  struct stat about {};
  const unique_fd control = open_mapper_control();
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
  const unique_fd control = open_mapper_control();
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

}  // namespace teleport
