// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/device_home.hpp"

#include <cerrno>

#include <sys/stat.h>

namespace teleport {

constinit const disk_kind_entry device_kind{.kind = disk_kind::other_device,
                                            .find = device_home::find,
                                            .make_home = make_home<device_home>,
                                            .is_named_by_kernel = true};

result<std::optional<disk_place>> device_home::find(const std::string& device) {
  return std::optional(
      disk_place{disk_kind::other_device, device, device, device});
}

result<bool> device_home::exists(const std::string& name) const {
  struct stat about {};
  if (::stat(name.c_str(), &about) == 0) {
    return true;
  }
  return errno == ENOENT ? result<bool>(false) : system_error(errno, name);
}

result<void> device_home::rename(const std::string& from,
                                 const std::string& to) {
  return error(errc::refused, from + " cannot be renamed to " + to);
}

result<std::string> device_home::open(const std::string& name) {
  return name;
}

result<void> device_home::close(const std::string& /*name*/) {
  return {};
}

result<void> device_home::resize_at(const std::string& name,
                                    std::uint64_t /*size*/) {
  return error(errc::refused, name + " has the size that it has");
}

result<void> device_home::remove_at(const std::string& name) {
  return error(errc::refused, name + " is a device, which cannot be deleted");
}

}  // namespace teleport
