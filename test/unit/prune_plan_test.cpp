// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/prune_plan_test.cpp: what is old or too much goes, and what
// somebody needs stays; a disk is deleted only when it is the one that was
// meant.

#include "tools/teleportctl/prune_plan.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <fcntl.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/file_home.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "tools/teleportctl/kept_items.hpp"

namespace teleport {

namespace {

using namespace std::chrono_literals;
using places = std::vector<std::size_t>;

constexpr std::chrono::hours day(24);

/// Three of 10 GiB, the middle one the oldest, and one that is needed.
const std::vector<prunable>& kept() {
  static const std::vector<prunable> disks = {
      {5 * day, 10_GiB, true},
      {90 * day, 10_GiB, true},
      {30 * day, 10_GiB, true},
      {300 * day, 10_GiB, false},
  };
  return disks;
}

std::string make_file(const std::string& path) {
  std::ofstream(path) << "content";
  return path;
}

}  // namespace

TEST_CASE("kept disks go when they are older than the limit", "[kept]") {
  CHECK(to_be_pruned(kept(), {30 * day, {}}) == places{1});
  CHECK(to_be_pruned(kept(), {29 * day, {}}) == places{1, 2});
  CHECK(to_be_pruned(kept(), {0 * day, {}}) == places{1, 2, 0});
  CHECK(to_be_pruned(kept(), {400 * day, {}}).empty());
  CHECK(to_be_pruned({}, {0 * day, 0}).empty());
}

TEST_CASE("the oldest kept disks go while all hold too much", "[kept]") {
  CHECK(to_be_pruned(kept(), {{}, 40_GiB}).empty());
  CHECK(to_be_pruned(kept(), {{}, 40_GiB - 1}) == places{1});
  // The one that is needed counts.
  CHECK(to_be_pruned(kept(), {{}, 20_GiB}) == places{1, 2});
  CHECK(to_be_pruned(kept(), {{}, 0}) == places{1, 2, 0});
  // What goes for its age makes room.
  CHECK(to_be_pruned(kept(), {30 * day, 30_GiB}) == places{1});
  CHECK(to_be_pruned(kept(), {30 * day, 29_GiB}) == places{1, 2});
}

TEST_CASE("ages are told in one word", "[kept]") {
  CHECK(age_text(0s) == "0 min");
  CHECK(age_text(119min) == "119 min");
  CHECK(age_text(2h) == "2 h");
  CHECK(age_text(47h) == "47 h");
  CHECK(age_text(10 * day) == "10 d");
}

TEST_CASE("an image is deleted if it is the one that is meant", "[kept]") {
  const temp_folder folder;
  const std::string path = make_file(folder / "web1.img");
  const std::string aside = make_file(folder / "web1.img.teleport-shadow");
  const auto home = home_at(file_home::place_of(path));
  const auto which = identify_disk(aside);
  REQUIRE(which);

  SECTION("another's identity is no leave") {
    const auto other = identify_disk(path);
    REQUIRE(other);
    CHECK(home->remove(aside, *other).error().code == errc::mismatch);
    CHECK(std::filesystem::exists(aside));
  }
  SECTION("another file has come under the name") {
    std::filesystem::rename(aside, folder / "kept");
    make_file(aside);
    CHECK(home->remove(aside, *which).error().code == errc::mismatch);
    CHECK(std::filesystem::exists(aside));
  }
  SECTION("a program has it open") {
    const unique_fd reader(::open(aside.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(reader);
    CHECK(home->remove(aside, *which).error().code == errc::busy);
    CHECK(std::filesystem::exists(aside));
  }
  SECTION("nobody has it") {
    CHECK(home->remove(aside, *which));
    CHECK_FALSE(std::filesystem::exists(aside));
    CHECK(std::filesystem::exists(path));
    CHECK(home->remove(aside, *which).error().code == errc::not_found);
  }
}

TEST_CASE("a device is never deleted", "[kept]") {
  const auto home =
      home_at({disk_kind::other_device, "/dev/null", "/dev/null", "/dev/null"});
  CHECK_FALSE(home->can_remove());
  const temp_folder folder;
  const auto any = identify_disk(make_file(folder / "any"));
  REQUIRE(any);
  CHECK_FALSE(home->remove("/dev/null", *any));
  CHECK(std::filesystem::exists("/dev/null"));
}

}  // namespace teleport
