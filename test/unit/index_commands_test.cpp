// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/index_commands_test.cpp: names to disks, and how long it takes yet.

#include <filesystem>
#include <fstream>

#include "index/scan_text.hpp"
#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "tools/teleportctl/disk_names.hpp"

namespace teleport {

namespace {

using names = std::vector<std::string>;

std::string make_image(const std::string& path, std::uintmax_t size) {
  std::ofstream(path).put('x');
  std::filesystem::resize_file(path, size);
  return path;
}

}  // namespace

TEST_CASE("names mean disks, each once, in the order of the names", "[cli]") {
  const temp_folder folder;
  const std::string b = make_image(folder / "b.img", 2_MiB);
  const std::string a = make_image(folder / "a.img", 1_MiB);
  const std::string small = make_image(folder / "small", 4096);
  make_image(folder / "odd", 2_MiB + 1);
  std::filesystem::create_directory(folder / "sub");
  CHECK(*disks_named({b, folder / "*.img"}) == names{b, a});
  CHECK(*disks_named({folder.path()}) == names{a, b});
  CHECK(*disks_named({folder / "sub/../a.img", a}) == names{a});
  CHECK(*disks_named({small}) == names{small});
  // A name that is not there stays: who opens it says so.
  CHECK(*disks_named({folder / "none"}) == names{folder / "none"});
  CHECK(disks_named({folder / "sub"}).error().code == errc::not_found);
}

TEST_CASE("a volume group means its volumes", "[cli]") {
  const temp_folder devices;
  std::filesystem::create_directory(devices / "vg0");
  const std::string one = make_image(devices / "vg0/one", 1_MiB);
  // As udev makes them: links to what is elsewhere.
  make_image(devices / "dm-2", 1_MiB);
  std::filesystem::create_symlink("../dm-2", devices / "vg0/two");
  CHECK(*disks_named({"vg0"}, devices.path()) ==
        names{one, devices / "vg0/two"});
  CHECK(*disks_named({"./vg0"}, devices.path()) ==
        names{absolute_path("./vg0")});
}

TEST_CASE("the time left follows what was read, not the holes", "[cli]") {
  index::scan_progress now;
  now.disk_bytes = 100_GiB;
  CHECK(index::time_left(now, 10).empty());
  now.read_bytes = 1_GiB;
  now.done_bytes = 60_GiB;
  CHECK(index::time_left(now, 0.5).empty());
  CHECK(index::time_left(now, 1) == "40 s");
  CHECK(index::time_left(now, 60) == "40 min");
  CHECK(index::time_left(now, 3600) == "40.0 h");
  now.done_bytes = now.disk_bytes;
  CHECK(index::time_left(now, 60) == "0 s");
}

}  // namespace teleport
