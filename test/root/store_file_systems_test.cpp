// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/store_file_systems_test.cpp: stores on file systems that are not
// ext4, each mounted from an image for the test.

#include <string>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/disk_store.hpp"
#include "libteleport/disk/file_device.hpp"
#include "libteleport/disk/file_system.hpp"
#include "test/support/root_devices.hpp"

namespace teleport {

namespace {

/// A file system of its own; not there where this machine has none of the kind.
class mounted_image {
 public:
  explicit mounted_image(const std::string& kind)
      : image_(folder_ / "image"), point_(folder_ / "mounted") {
    REQUIRE(run_program({"truncate", "-s", "512M", image_}));
    REQUIRE(run_program({"mkdir", point_}));
    const auto made = run_program({"mkfs." + kind, "-q", image_});
    is_there_ = made && run_program({"mount", "-o", "loop", image_, point_});
    if (!is_there_) {
      test::skip_test("needs mkfs." + kind + ", and " + kind +
                      " in the kernel");
    }
  }
  mounted_image(const mounted_image&) = delete;
  mounted_image& operator=(const mounted_image&) = delete;
  mounted_image(mounted_image&&) = delete;
  mounted_image& operator=(mounted_image&&) = delete;
  ~mounted_image() {
    if (is_there_) {
      static_cast<void>(run_program({"umount", point_}));
    }
  }

  [[nodiscard]] bool is_there() const noexcept { return is_there_; }
  [[nodiscard]] const std::string& path() const noexcept { return point_; }

 private:
  temp_folder folder_;
  std::string image_;
  std::string point_;
  bool is_there_ = false;
};

/// A disk's life: made, written, set aside, filled there, brought back.
void live_through(const std::string& folder) {
  const auto store = open_store({disk_kind::file, folder, "", false});
  REQUIRE(store);
  CHECK((*store)->space().value().free > 64_MiB);
  const auto disk = (*store)->create("guest", 8_MiB);
  REQUIRE(disk);
  const byte_buffer written(1_MiB, std::byte{7});
  const auto write = [&written](const std::string& device, std::uint64_t at) {
    const auto opened = open_device(device, open_mode::read_write);
    REQUIRE(opened);
    REQUIRE((*opened)->write_at(at, written));
    REQUIRE((*opened)->flush());
  };
  write(disk->device, 0);
  const auto home = find_home(disk->device);
  REQUIRE(home);
  const auto before = (*home)->identity();
  REQUIRE(before);
  REQUIRE((*home)->set_aside());
  CHECK((*home)->identity().value() == *before);
  const auto aside = (*home)->open_aside();
  REQUIRE(aside);
  write(*aside, 4_MiB);
  REQUIRE((*home)->close_aside());
  const auto back = (*home)->bring_back();
  REQUIRE(back);
  const auto opened = open_device(*back, open_mode::read_only);
  REQUIRE(opened);
  for (const std::uint64_t at : {std::uint64_t{0}, 4_MiB}) {
    byte_buffer read(1_MiB);
    REQUIRE((*opened)->read_at(at, read));
    CHECK(read == written);
  }
  CHECK((*home)->held_bytes().value() < 4_MiB);
}

int flags_of(const std::string& path) {
  const unique_fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  int flags = 0;
  REQUIRE(::ioctl(file.get(), FS_IOC_GETFLAGS, &flags) == 0);
  return flags;
}

}  // namespace

TEST_CASE("a disk in a store on btrfs is overwritten in place", "[root]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const mounted_image btrfs("btrfs");
  if (!btrfs.is_there()) {
    return;
  }
  live_through(btrfs.path());
  CHECK((flags_of(btrfs.path() + "/guest") & FS_NOCOW_FL) != 0);
  CHECK(mount_point_of(btrfs.path()).value() == btrfs.path());
  const auto store = open_store({disk_kind::file, btrfs.path(), "", false});
  REQUIRE(store);
  const auto disk = (*store)->open(btrfs.path() + "/guest");
  REQUIRE(disk);
  CHECK((*store)->remove(*disk));
}

TEST_CASE("a disk in a store on XFS and its reflink copy are two", "[root]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const mounted_image xfs("xfs");
  if (!xfs.is_there()) {
    return;
  }
  live_through(xfs.path());
  // A copy that shares its blocks (reflink) is a disk of its own.
  const std::string guest = xfs.path() + "/guest";
  REQUIRE(run_program({"cp", "--reflink=always", guest, guest + "2"}));
  const auto store = open_store({disk_kind::file, xfs.path(), "", false});
  REQUIRE(store);
  const auto one = (*store)->open(guest);
  const auto two = (*store)->open(guest + "2");
  REQUIRE(one);
  REQUIRE(two);
  {
    const auto opened = open_device(two->device, open_mode::read_write);
    REQUIRE(opened);
    REQUIRE((*opened)->write_at(0, byte_buffer(1_MiB, std::byte{9})));
    REQUIRE((*opened)->flush());
    const auto other = open_device(one->device, open_mode::read_only);
    REQUIRE(other);
    byte_buffer read(1_MiB);
    REQUIRE((*other)->read_at(0, read));
    CHECK(read == byte_buffer(1_MiB, std::byte{7}));
  }
  CHECK((*store)->remove(*one));
  CHECK((*store)->remove(*two));
}

}  // namespace teleport
