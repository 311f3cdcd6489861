// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/thin_volume.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "libteleport/base/unique_fd.hpp"

namespace teleport {

bool is_thin_volume(int device_fd) {
  struct stat about {};
  if (::fstat(device_fd, &about) != 0) {
    return false;
  }
  const unique_fd control(::open("/dev/mapper/control", O_RDWR | O_CLOEXEC));
  if (!control) {
    return false;
  }
  constexpr std::size_t room = 4096;
  alignas(dm_ioctl) std::array<std::byte, room> memory{};
  dm_ioctl request{};
  request.version[0] = DM_VERSION_MAJOR;
  request.data_size = room;
  request.data_start = sizeof(dm_ioctl);
  request.flags = DM_STATUS_TABLE_FLAG | DM_NOFLUSH_FLAG;
  request.dev = about.st_rdev;
  std::memcpy(memory.data(), &request, sizeof(request));
  if (::ioctl(control.get(), DM_TABLE_STATUS, memory.data()) != 0) {
    return false;  // not a device-mapper device
  }
  std::memcpy(&request, memory.data(), sizeof(request));
  if (request.target_count != 1 || (request.flags & DM_BUFFER_FULL_FLAG) != 0 ||
      request.data_start + sizeof(dm_target_spec) > room) {
    return false;
  }
  dm_target_spec target{};
  std::memcpy(&target, memory.data() + request.data_start, sizeof(target));
  target.target_type[DM_MAX_TYPE_NAME - 1] = '\0';
  return std::string_view(target.target_type) == "thin";
}

}  // namespace teleport
