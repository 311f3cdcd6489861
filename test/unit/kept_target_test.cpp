// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/kept_target_test.cpp: a disk that is not the one that was kept is
// never a target. With real devices: test/root/seed_placement_test.cpp.

#include "xl-teleport/destination/kept_target.hpp"

#include <utility>

#include <catch2/catch.hpp>

#include "test/support/print_error.hpp"

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
  CHECK_THAT(other.error().context, Catch::Contains("is another disk"));
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

}  // namespace teleport
