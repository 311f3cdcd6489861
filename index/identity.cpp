// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/identity.hpp"

#include <cerrno>

#include <sys/stat.h>

#include "libteleport/disk/block_sysfs.hpp"

namespace teleport::index {

result<disk_identity> identify(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return system_error(errno, path);
  }
  disk_identity found;
  if (S_ISREG(info.st_mode)) {
    constexpr std::uint64_t nanoseconds = 1'000'000'000;
    found.is_file = true;
    found.name =
        "file " + numbers_of(info.st_dev) + ":" + std::to_string(info.st_ino);
    found.changed_at =
        static_cast<std::uint64_t>(info.st_mtim.tv_sec) * nanoseconds +
        static_cast<std::uint64_t>(info.st_mtim.tv_nsec);
    return found;
  }
  if (!S_ISBLK(info.st_mode)) {
    return error(errc::bad_input,
                 path + " is neither a block device nor a regular file");
  }
  const std::string numbers = numbers_of(info.st_rdev);
  const std::string uuid = block_attribute(numbers, "dm/uuid");
  found.name = uuid.empty() ? "disk " + numbers + " seq " +
                                  block_attribute(numbers, "diskseq")
                            : "dm " + uuid;
  if (found.name.size() > 512) {
    found.name.resize(512);
  }
  return found;
}

}  // namespace teleport::index
