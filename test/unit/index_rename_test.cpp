// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/index_rename_test.cpp: a disk of the index under another path.

#include <filesystem>

#include "test/unit/index_fixture.hpp"

namespace teleport::index {

TEST_CASE("a renamed disk is the same donor, and nothing is read again",
          "[index][rename]") {
  const temp_folder folder;
  const std::string before = folder / "a.img";
  const std::string after = folder / "a.img.teleport-shadow";
  const auto contents = ascending(1, extent_blocks + 9);
  write_image(before, contents);
  std::shared_ptr<store> tables = open_store(folder / "index");
  const scan_report first = scan(*tables, before);
  REQUIRE(tables->pauses().pause({before}));
  auto lookup = std::make_unique<hash_index>(tables);
  CHECK(proven(*lookup, digests_of(contents)) == contents.size());

  std::filesystem::rename(before, after);
  REQUIRE(tables->rename_disk(first.disk.id, after));
  const auto disks = tables->disks();
  REQUIRE(disks);
  CHECK(disks->by_path(before) == nullptr);
  REQUIRE(disks->by_path(after) != nullptr);
  CHECK(disks->by_path(after)->id == first.disk.id);
  CHECK(disks->by_path(after)->epoch == first.disk.epoch);
  CHECK(disks->by_path(after)->complete);
  // A look-up that was open before reads it where it is now.
  CHECK(proven(*lookup, digests_of(contents)) == contents.size());
  CHECK(tables->lost_paths()->empty());
  CHECK(tables->pauses().read()->paths == std::vector{after});
  REQUIRE(tables->pauses().resume_all());
  CHECK(scan(*tables, after).changed_groups == 0);

  SECTION("its new path is what is scanned when the database is lost") {
    lookup.reset();
    tables.reset();
    std::filesystem::remove(folder / "index/data.mdb");
    tables = open_store(folder / "index");
    CHECK(*tables->lost_paths() == std::vector{after});
  }
}

TEST_CASE("no disk is renamed over another", "[index][rename]") {
  const temp_folder folder;
  write_image(folder / "a.img", ascending(1, 3));
  write_image(folder / "b.img", ascending(9, 3));
  const auto tables = open_store(folder / "index");
  const auto a = add_disk(*tables, folder / "a.img");
  REQUIRE(a);
  REQUIRE(add_disk(*tables, folder / "b.img"));
  CHECK(tables->rename_disk(a->id, folder / "b.img").error().code ==
        errc::busy);
  CHECK(tables->rename_disk(a->id + 7, folder / "c.img").error().code ==
        errc::not_found);
  CHECK(tables->disks()->by_id(a->id)->path == folder / "a.img");
  CHECK(tables->rename_disk(a->id, folder / "a.img"));
}

}  // namespace teleport::index
