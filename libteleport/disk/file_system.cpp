// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/file_system.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <fmt/format.h>

namespace teleport {

namespace {

// What <linux/magic.h> does not have: of <linux/gfs2_ondisk.h> and Lustre's
// lustre_user.h.
constexpr std::uint64_t gfs2_magic = 0x01161970;
constexpr std::uint64_t lustre_magic = 0x0bd00bd0;

/// FUSE is among them: of glusterfs and sshfs the kernel knows no more.
constexpr std::array<std::uint64_t, 12> network_types = {NFS_SUPER_MAGIC,
                                                         SMB_SUPER_MAGIC,
                                                         CIFS_SUPER_MAGIC,
                                                         SMB2_SUPER_MAGIC,
                                                         CEPH_SUPER_MAGIC,
                                                         OCFS2_SUPER_MAGIC,
                                                         gfs2_magic,
                                                         lustre_magic,
                                                         AFS_SUPER_MAGIC,
                                                         CODA_SUPER_MAGIC,
                                                         V9FS_MAGIC,
                                                         FUSE_SUPER_MAGIC};

result<std::uint64_t> type_of(int file, const std::string& name) {
  struct statfs about {};
  if (::fstatfs(file, &about) != 0) {
    return system_error(errno, name);
  }
  return static_cast<std::uint64_t>(about.f_type);
}

}  // namespace

file_system_kind kind_of_file_system(std::uint64_t type) {
  if (std::ranges::find(network_types, type) != network_types.end()) {
    return file_system_kind::network;
  }
  return type == BTRFS_SUPER_MAGIC ? file_system_kind::btrfs
                                   : file_system_kind::ordinary;
}

result<void> check_store_folder(const std::string& path) {
  struct statfs about {};
  if (::statfs(path.c_str(), &about) != 0) {
    return system_error(errno, path);
  }
  const auto type = static_cast<std::uint64_t>(about.f_type);
  if (kind_of_file_system(type) != file_system_kind::network) {
    return {};
  }
  return error(
      errc::unsupported,
      fmt::format("{} is on a network file system, or on one in user space "
                  "(type {:#x}): another host may use the same disks, which "
                  "nothing here would see; a store is on a file system or a "
                  "volume group of this host's own, and guests on shared "
                  "storage move by xl migrate",
                  path,
                  type));
}

result<void> overwrite_in_place(int file, const std::string& name) {
  const auto type = type_of(file, name);
  if (!type) {
    return type.error();
  }
  if (kind_of_file_system(*type) != file_system_kind::btrfs) {
    return {};
  }
  int flags = 0;
  if (::ioctl(file, FS_IOC_GETFLAGS, &flags) == 0) {
    flags |= FS_NOCOW_FL;
    if (::ioctl(file, FS_IOC_SETFLAGS, &flags) == 0 &&
        ::ioctl(file, FS_IOC_GETFLAGS, &flags) == 0 &&
        (flags & FS_NOCOW_FL) != 0) {
      return {};
    }
  }
  return error(errc::unsupported,
               fmt::format("{}: btrfs does not overwrite it in place (chattr "
                           "+C): its checksums and a running guest's writes "
                           "do not go together",
                           name));
}

result<std::string> mount_point_of(const std::string& path) {
  std::filesystem::path place(path);
  struct stat about {};
  if (::stat(place.c_str(), &about) != 0) {
    return system_error(errno, path);
  }
  const dev_t device = about.st_dev;
  while (place.has_relative_path()) {
    const std::filesystem::path above = place.parent_path();
    if (::stat(above.c_str(), &about) != 0) {
      return system_error(errno, above.string());
    }
    if (about.st_dev != device) {
      break;
    }
    place = above;
  }
  return place.string();
}

}  // namespace teleport
