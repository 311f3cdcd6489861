// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/kept_target_test.cpp: a disk that is not the one that was kept is
// never a target. With real devices: test/root/seed_placement_test.cpp.

#include "xl-teleport/destination/kept_target.hpp"

#include <string>
#include <utility>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

disk_identity identity(const char* text) {
  auto parsed = disk_identity::parse(text);
  REQUIRE(parsed);
  return std::move(*parsed);
}

constexpr const char* kept_words = "dm:LVM-one";
constexpr const char* other_words = "dm:LVM-two";

kept_disk kept_at(disk_kind kind) {
  kept_disk kept;
  kept.guest = "web1";
  kept.vdev = "xvda";
  kept.shadow = disk_place();
  kept.shadow->kind = kind;
  kept.shadow->aside = "/dev/one";
  return kept;
}

}  // namespace

TEST_CASE("the disk that was kept is the one that its name leads to now",
          "[disk_book]") {
  kept_disk kept = kept_at(disk_kind::other_device);
  kept.identity = identity(kept_words);
  CHECK(check_identity(kept, identity(kept_words)));
  const auto other = check_identity(kept, identity(other_words));
  REQUIRE_FALSE(other);
  CHECK(other.error().code == errc::mismatch);
  CHECK_THAT(other.error().context, test::contains_text("is another disk"));
}

TEST_CASE("a disk of which it cannot be told which it is, is not used",
          "[disk_book]") {
  kept_disk kept = kept_at(disk_kind::file);
  kept.identity = identity(kept_words);
  const auto untold = check_identity(
      kept, result<disk_identity>(error(errc::unsupported, "no udev")));
  REQUIRE_FALSE(untold);
  CHECK(untold.error().code == errc::unsupported);
}

TEST_CASE("a device that an older release kept by its name alone is not used",
          "[disk_book]") {
  const auto device =
      check_identity(kept_at(disk_kind::other_device), identity(other_words));
  REQUIRE_FALSE(device);
  CHECK(device.error().code == errc::mismatch);
  // A file's and a volume's names are the store's own.
  CHECK(check_identity(kept_at(disk_kind::file), identity(other_words)));
  CHECK(check_identity(kept_at(disk_kind::logical_volume),
                       identity(other_words)));
}

TEST_CASE("a limited host may fill what it brought itself, and no other's",
          "[place][peers]") {
  const temp_folder folder;
  auto book = disk_book::open(folder / "book");
  REQUIRE(book);
  guest_info guest;
  guest.name = "web1";
  guest.uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
  guest_disk disk;
  disk.vdev = "xvda";
  disk.size = 8_MiB;
  kept_disk entry;
  entry.guest = guest.name;
  entry.uuid = guest.uuid;
  entry.vdev = disk.vdev;
  entry.size = disk.size;
  entry.partial = "/store/web1-xvda";
  const known_peer ours{"host2", "key 2"};
  const known_peer limited{"host3", "key 3", {"host3", "host3.conf", {}}};
  const auto may = [&](const known_peer& peer) {
    const auto checked = check_may_fill(*book, {guest, disk, peer});
    CHECK((checked || checked.error().code == errc::refused));
    return checked.has_value();
  };
  CHECK(may(limited));  // nothing is kept
  entry.peer = limited.key;
  REQUIRE(book->write(entry));
  CHECK(may(limited));
  CHECK(may(ours));
  for (const std::string& other : {ours.key, std::string()}) {
    entry.peer = other;
    // Of another size it would be no target, and its entry written over.
    entry.size = GENERATE(8_MiB, 4_MiB);
    REQUIRE(book->write(entry));
    CHECK_FALSE(may(limited));
    CHECK(may(ours));
  }
  // What was seeded for the name alone is another entry.
  REQUIRE(book->remove(entry.uuid, entry.vdev));
  entry.uuid = uuid_of_name(guest.name);
  entry.size = disk.size;
  entry.peer = ours.key;
  REQUIRE(book->write(entry));
  CHECK_FALSE(may(limited));
  entry.peer = limited.key;
  REQUIRE(book->write(entry));
  CHECK(may(limited));
}

}  // namespace teleport
