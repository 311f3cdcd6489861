// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/disk_store_test.cpp: stores, shadows and block devices on real loop
// devices and volumes.

#include "libteleport/disk/disk_store.hpp"

#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/file_device.hpp"
#include "libteleport/disk/logical_volume.hpp"
#include "libteleport/disk/loop_device.hpp"
#include "test/support/catch.hpp"
#include "test/support/model_disk.hpp"
#include "test/support/root_devices.hpp"

namespace teleport {

namespace {

void write_first_byte(const std::string& device, unsigned char value) {
  auto disk = open_device(device, open_mode::read_write);
  REQUIRE(disk);
  const byte_buffer bytes(4096, std::byte{value});
  REQUIRE((*disk)->write_at(0, bytes));
  REQUIRE((*disk)->flush());
}

unsigned char first_byte(const std::string& device) {
  auto disk = open_device(device, open_mode::read_only);
  REQUIRE(disk);
  byte_buffer bytes(4096);
  REQUIRE((*disk)->read_at(0, bytes));
  return std::to_integer<unsigned char>(bytes[0]);
}

/// A volume group on a loop device.
class volume_group {
 public:
  volume_group()
      : disk_("96"), name_("teleport-test-" + std::to_string(::getpid())) {
    REQUIRE(run_program({"vgcreate", name_, disk_.path()}));
  }
  volume_group(const volume_group&) = delete;
  volume_group& operator=(const volume_group&) = delete;
  volume_group(volume_group&&) = delete;
  volume_group& operator=(volume_group&&) = delete;
  ~volume_group() {
    wait_for_udev();
    static_cast<void>(run_program({"vgremove", "--force", "--yes", name_}));
    static_cast<void>(run_program({"pvremove", "--yes", disk_.path()}));
  }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  loop_disk disk_;
  std::string name_;
};

bool can_use_lvm() {
  if (!can_use_device_mapper("linear")) {
    return false;
  }
  if (!run_program({"lvs", "--version"})) {
    test::skip_test("needs LVM");
    return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a loop device behaves as memory does", "[root]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const std::string sector = GENERATE("512", "4096");
  const loop_disk loop("2", sector);
  auto device = open_device(loop.path(), open_mode::read_write);
  REQUIRE(device);
  CHECK((*device)->size() == 2_MiB);
  compare_with_model(**device, 5, 120);
}

TEST_CASE("a thin volume stays thin when it is zeroed", "[root]") {
  if (!can_use_device_mapper("thin-pool")) {
    return;
  }
  const loop_disk metadata("4");
  const loop_disk data("16");
  const mapped_disk pool(
      "pool",
      "0 32768 thin-pool " + metadata.path() + " " + data.path() + " 128 0\n");
  REQUIRE(
      run_program({"dmsetup", "message", pool.path(), "0", "create_thin 0"}));
  const mapped_disk thin("thin", "0 8192 thin " + pool.path() + " 0\n");
  auto device = open_device(thin.path(), open_mode::read_write);
  REQUIRE(device);
  REQUIRE((*device)->write_at(0, byte_buffer(4_MiB, std::byte{1})));
  REQUIRE((*device)->flush());
  const auto full = run_program({"dmsetup", "status", thin.path()});
  REQUIRE(full);
  CHECK_THAT(*full, test::contains_text("thin 8192 8191"));
  REQUIRE((*device)->zero_at(0, 4_MiB));
  REQUIRE((*device)->flush());
  const auto empty = run_program({"dmsetup", "status", thin.path()});
  REQUIRE(empty);
  CHECK_THAT(*empty, test::contains_text("thin 0 -"));
  compare_with_model(**device, 6, 100);
}

TEST_CASE("a disk in a directory store is made, found again and removed",
          "[root]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const temp_folder folder;
  auto store = open_store({disk_kind::file, folder.path(), "", false});
  REQUIRE(store);
  const auto disk = (*store)->create("guest-root", 3 * 512 * 1001);
  REQUIRE(disk);
  CHECK(disk->reads_zero);
  CHECK(disk->backing == folder / "guest-root");
  struct stat about {};
  REQUIRE(::stat(disk->backing.c_str(), &about) == 0);
  CHECK((about.st_mode & 07777U) == 0600);
  CHECK((*store)->create("guest-root", 512).error().code == errc::busy);
  write_first_byte(disk->device, 7);
  const auto again = (*store)->open(disk->backing);
  REQUIRE(again);
  CHECK(again->device == disk->device);
  CHECK_FALSE(again->reads_zero);
  {
    const unique_fd user(::open(disk->device.c_str(), O_RDWR));
    CHECK((*store)->close(*disk).error().code == errc::busy);
    CHECK((*store)->remove(*disk).error().code == errc::busy);
  }
  // That the refusal has left the device attached is part of the promise.
  CHECK(find_loop(disk->backing).value() == disk->device);
  REQUIRE((*store)->close(*disk));
  CHECK_FALSE(find_loop(disk->backing).value());
  CHECK((*store)->close(*disk));
  const auto third = (*store)->open(disk->backing);
  REQUIRE(third);
  CHECK(third->size == 3 * 512 * 1001);
  CHECK(first_byte(third->device) == 7);
  REQUIRE((*store)->remove(*third));
  CHECK_FALSE(std::filesystem::exists(disk->backing));
  CHECK((*store)->remove(*third).error().code == errc::not_found);
}

TEST_CASE("a link in a directory store is not followed", "[root]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const temp_folder folder;
  std::ofstream(folder / "outside.teleport-shadow") << std::string(4096, 'x');
  std::filesystem::create_symlink(folder / "outside.teleport-shadow",
                                  folder / "link");
  auto store = open_store({disk_kind::file, folder.path(), "", false});
  REQUIRE(store);
  CHECK((*store)->open(folder / "link").error().code == errc::refused);
  CHECK((*store)->create("link", 512).error().code == errc::busy);
}

TEST_CASE("a file behind a loop device goes aside and comes back", "[root]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const temp_folder folder;
  auto store = open_store({disk_kind::file, folder.path(), "", false});
  REQUIRE(store);
  const auto disk = (*store)->create("guest", 1_MiB);
  REQUIRE(disk);
  write_first_byte(disk->device, 1);
  {
    const unique_fd user(::open(disk->device.c_str(), O_RDONLY));
    CHECK(find_home(disk->device).value()->set_aside().error().code ==
          errc::busy);
    CHECK(std::filesystem::exists(disk->backing));
  }
  const auto home = find_home(disk->device);
  REQUIRE(home);
  const disk_place place = (*home)->place();
  REQUIRE((*home)->set_aside());
  CHECK(place.kind == disk_kind::file);
  CHECK(place.aside == folder / "guest.teleport-shadow");
  CHECK_FALSE(std::filesystem::exists(disk->backing));
  CHECK((*home)->set_aside());  // again, as after a crash
  CHECK(open_device(disk->device, open_mode::read_only).error().code ==
        errc::bad_input);
  const auto open = (*home)->open_aside();
  REQUIRE(open);
  CHECK(first_byte(*open) == 1);
  write_first_byte(*open, 2);
  REQUIRE((*home)->close_aside());
  CHECK((*home)->close_aside());
  REQUIRE((*home)->open_aside());
  const auto back = (*home)->bring_back();
  REQUIRE(back);
  CHECK(*back == disk->device);
  CHECK(first_byte(*back) == 2);
  CHECK((*home)->bring_back().value() == *back);
  // A name aside that is taken is not written over.
  std::ofstream(place.aside) << "mine";
  CHECK(find_home(disk->device).error().code == errc::busy);
  CHECK((*home)->set_aside().error().code == errc::busy);
  CHECK(first_byte(*back) == 2);
  std::filesystem::remove(place.aside);
  // Another disk has come under the old name meanwhile.
  REQUIRE((*home)->set_aside());
  std::ofstream(disk->backing) << "mine";
  CHECK((*home)->bring_back().error().code == errc::busy);
  std::filesystem::remove(disk->backing);
  const auto last = (*home)->bring_back();
  REQUIRE(last);
  CHECK((*store)->remove({disk->backing, *last, 1_MiB, false}));
}

TEST_CASE("volumes are made, renamed aside and back, and removed", "[root]") {
  if (!can_use_lvm()) {
    return;
  }
  const volume_group group;
  auto store = open_store({disk_kind::logical_volume, group.name(), "", false});
  REQUIRE(store);
  CHECK((*store)->create("odd", 4_MiB + 512).error().code == errc::bad_input);
  CHECK((*store)->create("big", 400_MiB).error().code == errc::no_space);
  const auto disk = (*store)->create("my-disk", 8_MiB);
  REQUIRE(disk);
  CHECK_FALSE(disk->reads_zero);
  CHECK((*store)->create("my-disk", 8_MiB).error().code == errc::busy);
  CHECK((*store)->open("/dev/other/my-disk").error().code == errc::refused);
  write_first_byte(disk->device, 3);
  const auto home = find_home(disk->device);
  REQUIRE(home);
  const disk_place place = (*home)->place();
  REQUIRE((*home)->set_aside());
  CHECK(place.kind == disk_kind::logical_volume);
  CHECK(place.aside == disk->backing + ".teleport-shadow");
  wait_for_udev();
  CHECK_FALSE(std::filesystem::exists(disk->device));
  CHECK((*home)->set_aside());
  const std::string filled = (*home)->open_aside().value();
  CHECK(filled.starts_with("/dev/disk/by-id/dm-uuid-LVM-"));
  REQUIRE((*home)->restore_name());
  wait_for_udev();
  CHECK(first_byte(filled) == 3);
  CHECK(volume_of_device(filled).value()->path() == disk->backing);
  REQUIRE((*home)->set_aside());
  wait_for_udev();
  CHECK((*home)->close_aside());
  CHECK((*store)->create("my-disk", 8_MiB).error().code == errc::busy);
  for (const std::uint64_t size : {16_MiB, 4_MiB}) {
    REQUIRE((*home)->resize(size));
    REQUIRE((*home)->resize(size));
    CHECK(open_device(place.aside, open_mode::read_only).value()->size() ==
          size);
    CHECK(first_byte(place.aside) == 3);
  }
  CHECK((*home)->resize(400_MiB).error().code == errc::no_space);
  CHECK((*home)->resize(4_MiB + 512).error().code == errc::bad_input);
  CHECK((*home)->bring_back().value() == disk->backing);
  CHECK(first_byte(disk->device) == 3);
  {
    const unique_fd user(::open(disk->device.c_str(), O_RDONLY));
    CHECK((*store)->remove(*disk).error().code == errc::busy);
  }
  wait_for_udev();
  CHECK((*store)->remove(*disk));
  CHECK((*store)->open(disk->backing).error().code == errc::not_found);
}

TEST_CASE("thin volumes read as zeros when they are new", "[root]") {
  if (!can_use_lvm() || !can_use_device_mapper("thin-pool")) {
    return;
  }
  const volume_group group;
  REQUIRE(run_program({"lvcreate",
                       "--yes",
                       "--type",
                       "thin-pool",
                       "--size",
                       "32M",
                       "--name",
                       "pool",
                       group.name()}));
  CHECK(open_store({disk_kind::logical_volume, group.name(), "none", true})
            .error()
            .code == errc::not_found);
  auto store =
      open_store({disk_kind::logical_volume, group.name(), "pool", true});
  REQUIRE(store);
  CHECK((*store)->space().value().free == 32_MiB);
  const auto disk = (*store)->create("thin", 400_MiB);
  REQUIRE(disk);
  CHECK(disk->reads_zero);
  CHECK(disk->size == 400_MiB);
  write_first_byte(disk->device, 9);
  CHECK((*store)->space().value().free < 32_MiB);
  CHECK((*store)->remove(*disk));
  CHECK_FALSE((*store)->owns("/dev/" + group.name() + "/pool"));
}

TEST_CASE("only files and volumes are given another size", "[root]") {
  if (!can_use_device_mapper("linear")) {
    return;
  }
  const loop_disk loop("4");
  CHECK(
      home_at({disk_kind::other_device, loop.path(), loop.path(), loop.path()})
          ->resize(8_MiB)
          .error()
          .code == errc::refused);
  CHECK(home_at({disk_kind::file, "", "/nowhere/at-all", "/nowhere/at-all.x"})
            ->resize(8_MiB)
            .error()
            .code == errc::not_found);
}

TEST_CASE("any other device stays where it is", "[root]") {
  if (!can_use_device_mapper("linear")) {
    return;
  }
  const loop_disk loop("4");
  const mapped_disk disk("plain", "0 8192 linear " + loop.path() + " 0\n");
  const auto home = find_home(disk.path());
  REQUIRE(home);
  const disk_place place = (*home)->place();
  REQUIRE((*home)->set_aside());
  CHECK(place.kind == disk_kind::other_device);
  CHECK(place.aside == disk.path());
  CHECK((*home)->open_aside().value() == disk.path());
  CHECK((*home)->bring_back().value() == disk.path());
}

}  // namespace teleport
