// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/odd_file_names_test.cpp: a file's name may have any bytes but '/'
// and 0. JSON holds UTF-8 alone.

#include <fstream>
#include <string>

#include "libteleport/base/json_text.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

constexpr const char* latin = "latin\xfc.img";
constexpr const char* shown = "latin\xef\xbf\xbd.img";

}  // namespace

TEST_CASE("bytes that are not UTF-8 do not end what writes JSON", "[json]") {
  const auto text = dump({{"path", latin}});
  CHECK(text == std::string(R"({"path":")") + shown + "\"}");
  CHECK(parse_object(text, 100)->at("path") == shown);
}

TEST_CASE("an entry of the book is written whatever its disk's name is",
          "[disk_book][json]") {
  const temp_folder folder;
  auto book = disk_book::open(folder / "book");
  REQUIRE(book);
  kept_disk disk;
  disk.guest = "web1";
  disk.uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
  disk.vdev = "xvda";
  disk.partial = folder / latin;
  REQUIRE(book->write(disk));
  const auto found = book->find(disk.uuid, disk.vdev);
  REQUIRE((found && *found));
  CHECK((*found)->partial == folder / shown);
}

TEST_CASE("a disk whose name no journal can hold has no home", "[disk]") {
  const temp_folder folder;
  for (const char* name : {latin, "two\nlines.img"}) {
    std::ofstream(folder / name) << "x";
    const auto home = find_home(folder / name);
    REQUIRE_FALSE(home);
    CHECK(home.error().code == errc::unsupported);
    CHECK(home.error().context.find("not UTF-8") != std::string::npos);
  }
  std::ofstream(folder / "ordin\u00e4r.img") << "x";
  CHECK(find_home(folder / "ordin\u00e4r.img"));
}

}  // namespace teleport
