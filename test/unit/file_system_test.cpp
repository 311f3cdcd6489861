// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/file_system_test.cpp: file systems by the numbers that statfs(2)
// documents; test/root/store_file_systems_test.cpp mounts some.

#include "libteleport/disk/file_system.hpp"

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

TEST_CASE("a network file system is told by its number", "[disk]") {
  using kind = file_system_kind;
  CHECK(kind_of_file_system(0x6969) == kind::network);      // NFS
  CHECK(kind_of_file_system(0xff534d42) == kind::network);  // CIFS
  CHECK(kind_of_file_system(0xfe534d42) == kind::network);  // SMB 2
  CHECK(kind_of_file_system(0x65735546) == kind::network);  // FUSE
  CHECK(kind_of_file_system(0x00c36400) == kind::network);  // Ceph
  CHECK(kind_of_file_system(0x01021997) == kind::network);  // 9P
  CHECK(kind_of_file_system(0x9123683e) == kind::btrfs);
  CHECK(kind_of_file_system(0xef53) == kind::ordinary);      // ext4
  CHECK(kind_of_file_system(0x58465342) == kind::ordinary);  // XFS
  CHECK(kind_of_file_system(0x2fc12fc1) == kind::ordinary);  // ZFS
}

TEST_CASE("a mount point is the highest folder of its file system", "[disk]") {
  CHECK(mount_point_of("/").value() == "/");
  CHECK(mount_point_of("/proc/sys").value() == "/proc");
  const temp_folder folder;
  const std::string mounted_at = mount_point_of(folder.path()).value();
  CHECK(folder.path().starts_with(mounted_at));
  CHECK(mounted_at != folder.path());
  CHECK(mount_point_of(folder / "none").error().code == errc::not_found);
}

}  // namespace teleport
