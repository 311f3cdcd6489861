// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/donor_watch_test.cpp: being told that there may be other disks.

#include "tools/teleportd/donor_watch.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include "libteleport/base/folder_watch.hpp"
#include "libteleport/base/lock_file.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/skip.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

void make_file(const std::string& path) {
  std::ofstream(path).put('x');
}

}  // namespace

TEST_CASE("a folder's changes are told, hidden files' are not", "[donors]") {
  const temp_folder folder;
  const std::string image = folder / "a";
  auto watch = folder_watch::open({folder.path()});
  REQUIRE(watch);
  CHECK_FALSE(watch->drain());
  make_file(image);
  CHECK(watch->drain());
  CHECK_FALSE(watch->drain());
  std::ofstream(image).put('y');
  CHECK(watch->drain());
  fs::rename(image, folder / "b");
  CHECK(watch->drain());
  fs::remove(folder / "b");
  CHECK(watch->drain());
  make_file(folder / ".hidden");
  CHECK_FALSE(watch->drain());
  CHECK_FALSE(watch->look_again());
}

TEST_CASE("a folder may come, go and be made anew", "[donors]") {
  const temp_folder parent;
  const std::string folder = parent / "img";
  auto watch = folder_watch::open({folder, parent / "none"});
  REQUIRE(watch);
  CHECK_FALSE(watch->look_again());
  fs::create_directory(folder);
  CHECK(watch->look_again());
  make_file(folder + "/a");
  CHECK(watch->drain());
  fs::rename(folder, parent / "old");
  fs::create_directory(folder);
  CHECK(watch->drain());
  CHECK(watch->look_again());
  (void)watch->drain();
  make_file(parent / "old/b");
  CHECK_FALSE(watch->drain());
  make_file(folder + "/b");
  CHECK(watch->drain());
  fs::remove_all(folder);
  CHECK(watch->drain());
  CHECK_FALSE(watch->look_again());
}

TEST_CASE("more events than the kernel keeps count as one", "[donors]") {
  const temp_folder folder;
  auto watch = folder_watch::open({folder.path()});
  REQUIRE(watch);
  std::ifstream limit("/proc/sys/fs/inotify/max_queued_events");
  unsigned most = 0;
  REQUIRE(limit >> most);
  if (most > 100'000) {
    test::skip_test("the kernel keeps too many events");
    return;
  }
  // Hidden ones, that only the overflow is heard of.
  for (unsigned i = 0; i <= most / 2; ++i) {
    const std::string name = folder / ("." + std::to_string(i % 2));
    std::ofstream(name).close();
    fs::remove(name);
  }
  CHECK(watch->drain());
  CHECK_FALSE(watch->drain());
}

TEST_CASE("whoever waits is woken by images, targets and ending sessions",
          "[donors]") {
  const temp_folder folder;
  fs::create_directory(folder / "img");
  fs::create_directory(folder / "run");
  settings options;
  options.state_path = folder / "state";
  options.run_path = folder / "run";
  options.index_folders = {folder / "img"};
  auto book = disk_book::open(options.kept_disks_path());
  REQUIRE(book);
  auto watch = donor_watch::open(options);
  REQUIRE(watch);
  const std::chrono::milliseconds now(0);
  make_file(folder / "img/a");
  CHECK(watch->wait(now));
  {
    const auto session = take_lock(options.run_path, "guest-x");
    REQUIRE(session);
    CHECK(watch->wait(now));
  }
  CHECK(watch->wait(now));
  kept_disk target;
  target.uuid = "6a3f3f0e-9a0f-4a55-8f0a-6f2f1c0d9b11";
  target.vdev = "xvda";
  target.partial = "/img/a";
  REQUIRE(book->write(target));
  CHECK(watch->wait(now));
  REQUIRE(book->remove(target.uuid, target.vdev));
  CHECK(watch->wait(now));
  // Nothing more, as far as this host has no guests: and then it returns.
  (void)watch->wait(now);
  (void)watch->wait(std::chrono::milliseconds(-1));
}

}  // namespace teleport
