// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/disk_store.hpp"

#include "libteleport/disk/logical_volume.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

TEST_CASE("disk names are checked as hostile", "[disk]") {
  for (const std::string& good : {std::string("a"),
                                  std::string("db1-root.img"),
                                  std::string("x+y_z"),
                                  std::string("A.b"),
                                  std::string(100, 'n')}) {
    CAPTURE(good);
    CHECK(check_disk_name(good));
  }
  for (const std::string& bad : {std::string(),
                                 std::string("."),
                                 std::string(".."),
                                 std::string(".hidden"),
                                 std::string("-rf"),
                                 std::string("a/b"),
                                 std::string("../a"),
                                 std::string("a b"),
                                 std::string("a;b"),
                                 std::string("a\nb"),
                                 std::string("a\0b", 3),
                                 std::string("\xc3\xa9"),
                                 std::string("a.teleport-shadow"),
                                 std::string(".teleport-shadow"),
                                 std::string(101, 'n')}) {
    CAPTURE(bad);
    CHECK(check_disk_name(bad).error().code == errc::bad_input);
  }
}

TEST_CASE("disk sizes are multiples of 512 up to the limit", "[disk]") {
  CHECK(check_disk_size(512));
  CHECK(check_disk_size(std::uint64_t{64} << 40U));
  CHECK_FALSE(check_disk_size(0));
  CHECK_FALSE(check_disk_size(513));
  CHECK_FALSE(check_disk_size((std::uint64_t{64} << 40U) + 512));
}

TEST_CASE("a directory store owns what lies directly in it", "[disk]") {
  const temp_folder folder;
  auto store = open_store({disk_kind::file, folder.path(), "", false});
  REQUIRE(store);
  CHECK((*store)->owns(folder / "disk"));
  CHECK_FALSE((*store)->owns(folder / "a/b"));
  CHECK_FALSE((*store)->owns(folder / "../disk"));
  CHECK_FALSE((*store)->owns(folder / ""));
  CHECK_FALSE((*store)->owns(folder.path()));
  CHECK_FALSE((*store)->owns("/etc/passwd"));
  CHECK_FALSE((*store)->owns(folder.path() + "x/disk"));
  CHECK((*store)->open("/etc/passwd").error().code == errc::refused);
  CHECK((*store)->open(folder / "none").error().code == errc::not_found);
  CHECK((*store)->remove({"/etc/passwd", "", 0, false}).error().code ==
        errc::refused);
  CHECK((*store)->create("../x", 512).error().code == errc::bad_input);
  CHECK((*store)->create("x", 1000).error().code == errc::bad_input);
  CHECK((*store)->space().value().free > 0);
}

TEST_CASE("a store that is not there is not opened", "[disk]") {
  const auto code = [](const store_config& config) {
    return open_store(config).error().code;
  };
  CHECK(code({disk_kind::file, "relative", "", false}) == errc::bad_input);
  CHECK(code({disk_kind::file, "/no/such", "", false}) == errc::not_found);
  CHECK(code({disk_kind::file, "/dev/null", "", false}) == errc::system);
  CHECK(code({disk_kind::logical_volume, "../vg", "", false}) ==
        errc::bad_input);
  CHECK(code({disk_kind::logical_volume, "vg", "pool", false}) ==
        errc::bad_input);
  CHECK(code({disk_kind::logical_volume, "vg", "", true}) == errc::bad_input);
  CHECK(code({disk_kind::other_device, "/dev/sdb", "", false}) ==
        errc::unsupported);
}

TEST_CASE("LVM's words tell what kind of failure it was", "[disk]") {
  CHECK(lvm_failure("Failed to find logical volume \"vg/none\"") ==
        errc::not_found);
  CHECK(lvm_failure("Volume group \"none\" not found") == errc::not_found);
  CHECK(lvm_failure("Logical volume vg/lv in use.") == errc::busy);
  CHECK(lvm_failure("Logical Volume \"lv\" already exists in volume group "
                    "\"vg\"") == errc::busy);
  CHECK(lvm_failure("Volume group \"vg\" has insufficient free space (1 "
                    "extents): 100 required.") == errc::no_space);
  CHECK(lvm_failure("Insufficient free space: 77 extents needed, but only 19 "
                    "available") == errc::no_space);
  CHECK(lvm_failure("vg/lv: read failed after 0 of 4096 at 0") == errc::system);
}

TEST_CASE("volume paths and device-mapper names are understood", "[disk]") {
  CHECK(parse_volume_path("/dev/vg/lv")->argument() == "vg/lv");
  CHECK(parse_volume_path("/dev/mapper/v--g-l--v")->path() == "/dev/v-g/l-v");
  CHECK(parse_mapper_name("vg-a--b.teleport--shadow")->volume ==
        "a-b.teleport-shadow");
  CHECK_FALSE(parse_volume_path("/dev/sda"));
  CHECK_FALSE(parse_volume_path("/dev/vg/../sda"));
  CHECK_FALSE(parse_volume_path("/dev/vg/a/b"));
  CHECK_FALSE(parse_volume_path("/dev/../vg"));
  CHECK_FALSE(parse_volume_path("/dev/-vg/lv"));
  CHECK_FALSE(parse_volume_path("vg/lv"));
  CHECK_FALSE(parse_mapper_name("vg-pool-tpool"));
  CHECK_FALSE(parse_mapper_name("vg"));
  CHECK_FALSE(parse_mapper_name("-"));
  CHECK_FALSE(parse_mapper_name("a-"));
}

TEST_CASE("sizes from LVM are numbers or errors", "[disk]") {
  CHECK(bytes_from_lvm("4194304").value() == 4194304);
  CHECK_FALSE(bytes_from_lvm("4.00m"));
  CHECK_FALSE(bytes_from_lvm(""));
  CHECK_FALSE(bytes_from_lvm("-1"));
}

}  // namespace teleport
