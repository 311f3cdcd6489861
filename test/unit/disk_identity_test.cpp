// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/disk_identity.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "libteleport/base/unique_fd.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

/// A sysfs, a udev and a boot id to look into. Not everybody can make a block
/// device's node: the tests give attributes to the device that their files'
/// file system lies on.
class fake_host {
 public:
  fake_host() {
    from_.sysfs = folder_ / "sys";
    from_.udev = folder_ / "udev";
    from_.boot_id = folder_ / "boot_id";
    put("boot_id", "boot-1");
    std::filesystem::create_directories(folder_ / "udev");
  }

  /// Writes a file, with the folders above it.
  void put(const std::string& name, const std::string& text) {
    const std::filesystem::path path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << '\n';
  }
  void put_device(dev_t number,
                  const std::string& attribute,
                  const std::string& text) {
    put("sys/dev/block/" + numbers(number) + "/" + attribute, text);
  }
  static std::string numbers(dev_t number) {
    return std::to_string(major(number)) + ":" + std::to_string(minor(number));
  }
  [[nodiscard]] const identity_sources& from() const { return from_; }
  [[nodiscard]] std::string path(const std::string& name) const {
    return folder_ / name;
  }

 private:
  temp_folder folder_;
  identity_sources from_;
};

const std::string lvm_uuids =
    "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffff0000000011111111";

}  // namespace

TEST_CASE("an identity is read back as it was written", "[disk][identity]") {
  for (const char* text : {"file:wwn:naa.5:77:1700000000000000000",
                           "window:512+0:file:fsid-00ff:3:-",
                           "lv:a:b",
                           "dm:CRYPT-LUKS2-1-x",
                           "part:1234-02",
                           "part:6f1c-2f:wwn:eui.1",
                           "wwn:naa.5000c500a1b2c3d4",
                           "seq:12@boot"}) {
    CAPTURE(text);
    const auto read = disk_identity::parse(text);
    REQUIRE(read);
    CHECK(read->text() == text);
    CHECK(*read == disk_identity::parse(text).value());
    CHECK_FALSE(*read == disk_identity::parse("lv:a:c").value());
  }
  for (const std::string& bad : {std::string(),
                                 std::string("file:"),
                                 std::string("/dev/loop0"),
                                 std::string("disk 7:0 seq 3"),
                                 std::string("lv:a b"),
                                 std::string("lv:a\nb"),
                                 "dm:" + std::string(600, 'x')}) {
    CAPTURE(bad);
    CHECK(disk_identity::parse(bad).error().code == errc::corrupt);
  }
}

TEST_CASE("a file is one disk by its inode and birth, whatever its name",
          "[disk][identity]") {
  const temp_folder folder;
  std::ofstream(folder / "a") << "one";
  std::ofstream(folder / "b") << "one";
  const auto a = identify_disk(folder / "a");
  REQUIRE(a);
  CHECK(a->text().starts_with("file:"));
  CHECK_FALSE(*a == identify_disk(folder / "b").value());
  std::filesystem::rename(folder / "a", folder / "c");
  CHECK(*a == identify_disk(folder / "c").value());
  std::ofstream(folder / "c") << "longer than before";
  CHECK(*a == identify_disk(folder / "c").value());
  std::filesystem::create_symlink(folder / "c", folder / "link");
  CHECK(*a == identify_disk(folder / "link").value());
  // The name alone is nothing: another file has come under it.
  std::filesystem::rename(folder / "b", folder / "a");
  CHECK_FALSE(*a == identify_disk(folder / "a").value());
}

TEST_CASE("a file whose inode's number is used again is another disk",
          "[disk][identity]") {
  const temp_folder folder;
  std::ofstream(folder / "a") << "one";
  const auto before = identify_disk(folder / "a");
  REQUIRE(before);
  if (before->text().ends_with(":-")) {
    WARN("skipped: the file system has no times of birth");
    return;
  }
  for (int i = 0; i < 50; ++i) {
    std::filesystem::remove(folder / "a");
    std::ofstream(folder / "a") << "two";
    const auto after = identify_disk(folder / "a");
    REQUIRE(after);
    CHECK_FALSE(*before == *after);
  }
}

TEST_CASE("the file's file system is named by what outlives the boot",
          "[disk][identity]") {
  fake_host host;
  std::ofstream(host.path("image")) << "one";
  struct stat about {};
  REQUIRE(::stat(host.path("image").c_str(), &about) == 0);
  if (major(about.st_dev) == 0) {
    WARN("skipped: the folder's file system is on no block device");
    return;
  }
  SECTION("its volume") {
    host.put_device(about.st_dev, "dm/uuid", "LVM-" + lvm_uuids);
    const auto found = identify_disk(host.path("image"), host.from());
    REQUIRE(found);
    CHECK(found->text().starts_with("file:lv:" + lvm_uuids.substr(0, 32) + ":" +
                                    lvm_uuids.substr(32) + ":"));
    CHECK(found->outlives_boot());
  }
  SECTION("its disk") {
    host.put_device(about.st_dev, "wwid", " naa.5000 ");
    const auto found = identify_disk(host.path("image"), host.from());
    REQUIRE(found);
    CHECK(found->text().starts_with("file:wwn:naa.5000:"));
  }
  SECTION("its partition, as udev has it") {
    host.put_device(about.st_dev, "partition", "2");
    host.put("udev/b" + fake_host::numbers(about.st_dev),
             "S:disk/by-x\nE:ID_PART_ENTRY_UUID=6f1c2f2e-02");
    const auto found = identify_disk(host.path("image"), host.from());
    REQUIRE(found);
    CHECK(found->text().starts_with("file:part:6f1c2f2e-02:"));
  }
  SECTION("its partition, as the kernel has it") {
    host.put_device(about.st_dev, "partition", "2");
    host.put_device(about.st_dev, "uevent", "MAJOR=8\nPARTUUID=77-02");
    const auto found = identify_disk(host.path("image"), host.from());
    REQUIRE(found);
    CHECK(found->text().starts_with("file:part:77-02:"));
  }
  SECTION("another device of the device mapper") {
    host.put_device(about.st_dev, "dm/uuid", "CRYPT-LUKS2-12-name");
    const auto found = identify_disk(host.path("image"), host.from());
    REQUIRE(found);
    CHECK(found->text().starts_with("file:dm:CRYPT-LUKS2-12-name:"));
  }
  SECTION("a hidden part of LVM's is no volume") {
    host.put_device(about.st_dev, "dm/uuid", "LVM-" + lvm_uuids + "-real");
    const auto found = identify_disk(host.path("image"), host.from());
    REQUIRE(found);
    CHECK(found->text().starts_with("file:dm:LVM-"));
  }
}

TEST_CASE("a volume's identity is the same by LVM's words and the kernel's",
          "[disk][identity]") {
  const auto found =
      identity_of_volume("aaaaaa-aabb-bbbb-bbcc-cccc-ccdd-dddddd",
                         "eeeeee-eeff-ffff-ff00-0000-0011-111111");
  REQUIRE(found);
  CHECK(found->text() ==
        "lv:" + lvm_uuids.substr(0, 32) + ":" + lvm_uuids.substr(32));
  CHECK(found->outlives_boot());
  CHECK(identity_of_volume("", "").error().code == errc::system);
}

TEST_CASE("what is no disk, or not there, has no identity",
          "[disk][identity]") {
  CHECK(identify_disk("/dev/null").error().code == errc::bad_input);
  CHECK(identify_disk("/no/such/file").error().code == errc::not_found);
}

}  // namespace teleport
