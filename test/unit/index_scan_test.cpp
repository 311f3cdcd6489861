// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/index_scan_test.cpp: disks in, donors out.

#include <atomic>
#include <numeric>

#include <sys/stat.h>
#include <unistd.h>

#include "index/extent_source.hpp"
#include "index/path_list.hpp"
#include "libteleport/disk/file_device.hpp"
#include "test/unit/index_fixture.hpp"

namespace teleport::index {

TEST_CASE("what was scanned is found, as one run", "[index]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  const auto contents = ascending(1, 3 * extent_blocks + 7);
  write_image(image, contents);
  const auto tables = open_store(folder / "index");
  const scan_report report = scan(*tables, image);
  CHECK(report.disk.data_blocks == contents.size());
  CHECK(report.disk.complete);
  hash_index lookup(tables);
  const auto wanted = digests_of(contents);
  const auto runs = lookup.find_blocks(wanted);
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].first == 0);
  CHECK(runs[0].count == contents.size());
  CHECK(runs[0].offset == 0);
  CHECK(lookup.donor_path(runs[0].donor) == image);
  CHECK(proven(lookup, wanted) == contents.size());
}

TEST_CASE("gaps lie between runs and runs cross extents", "[index]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  write_image(image, ascending(1, 600));
  const auto tables = open_store(folder / "index");
  scan(*tables, image);
  hash_index lookup(tables);
  auto contents = ascending(200, 100);
  contents[10] = 9'000'001;
  contents[11] = 9'000'002;
  contents.push_back(5);
  const auto runs = lookup.find_blocks(digests_of(contents));
  REQUIRE(runs.size() == 3);
  CHECK(runs[0].count == 10);
  CHECK(runs[0].offset == 199 * block_bytes);
  CHECK(runs[1].first == 12);
  CHECK(runs[1].count == 88);
  CHECK(runs[1].offset == 211 * block_bytes);
  CHECK(runs[2].first == 100);
  CHECK(runs[2].offset == 4 * block_bytes);
}

TEST_CASE("zero blocks are not stored, and runs step over them", "[index]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  auto contents = ascending(1, 4 * extent_blocks);
  std::fill(contents.begin() + 10, contents.begin() + 20, 0);
  std::fill(contents.begin() + 256, contents.begin() + 512, 0);
  write_image(image, contents);
  const auto tables = open_store(folder / "index");
  const scan_report report = scan(*tables, image);
  CHECK(report.disk.zero_blocks == 266);
  CHECK(tables->count()->pairs == contents.size() - 266);
  hash_index lookup(tables);
  CHECK(lookup.find_blocks(digests_of({0, 0})).empty());
  std::vector<std::uint64_t> wanted = contents;
  std::erase(wanted, 0);
  const auto runs = lookup.find_blocks(digests_of(wanted));
  REQUIRE(runs.size() == 3);
  CHECK(runs[0].count == 10);
  CHECK(runs[1].offset == 20 * block_bytes);
  CHECK(runs[1].count == 236);
  CHECK(runs[2].offset == 512 * block_bytes);
  CHECK(proven(lookup, digests_of(wanted)) == wanted.size());
}

TEST_CASE("a whole extent is found by its SHA-256", "[index]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  write_image(image, ascending(1, 2 * extent_blocks + 3));
  const auto tables = open_store(folder / "index");
  scan(*tables, image);
  hash_index lookup(tables);
  byte_buffer bytes;
  for (std::uint64_t c = 257; c <= 512; ++c) {
    const byte_buffer block = block_of_content(c);
    bytes.insert(bytes.end(), block.begin(), block.end());
  }
  const auto found = lookup.find_extent(digest_extent(bytes));
  REQUIRE(found);
  CHECK(found->offset == extent_bytes);
  extent_digest near = digest_extent(bytes);
  near[31] ^= std::byte{1};
  CHECK_FALSE(lookup.find_extent(near));
  // The short last extent is no donor for a whole one.
  byte_buffer end;
  for (std::uint64_t c = 513; c <= 515; ++c) {
    const byte_buffer block = block_of_content(c);
    end.insert(end.end(), block.begin(), block.end());
  }
  CHECK_FALSE(lookup.find_extent(digest_extent(end)));
}

TEST_CASE("a block in many places keeps four, spread over disks", "[index]") {
  const temp_folder folder;
  const auto tables = open_store(folder / "index");
  const std::vector<std::uint64_t> same(3 * extent_blocks, 77);
  write_image(folder / "a.img", same);
  write_image(folder / "b.img", same);
  scan(*tables, folder / "a.img");
  CHECK(tables->count()->pairs == 4);
  scan(*tables, folder / "b.img");
  CHECK(tables->count()->pairs == 4);
  const auto disks = tables->disks();
  REQUIRE(disks);
  REQUIRE(tables->remove_disk(disks->by_path(folder / "a.img")->id));
  CHECK(tables->count()->pairs == 2);
  hash_index lookup(tables);
  CHECK(proven(lookup, digests_of(same)) == same.size());
}

TEST_CASE("a short last block is no donor, its neighbours are", "[index]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  write_image(image, {1, 2, 3});
  REQUIRE(::truncate(image.c_str(), 2 * block_bytes + 512) == 0);
  const auto tables = open_store(folder / "index");
  CHECK(scan(*tables, image).disk.data_blocks == 3);
  hash_index lookup(tables);
  byte_buffer last = block_of_content(3);
  std::fill(last.begin() + 512, last.end(), std::byte{0});
  const auto runs = lookup.find_blocks(
      std::vector{digest_of(1), digest_of(2), digest_block(last)});
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].count == 2);
}

TEST_CASE("a disk with fewer extents than threads comes to its end",
          "[index]") {
  const temp_folder folder("/dev/shm");
  write_image(folder / "a.img", {1});
  const auto device = open_device(folder / "a.img", open_mode::read_only);
  REQUIRE(device);
  source_options how;
  how.threads = 8;
  for (int i = 0; i < 200; ++i) {
    extent_source source(**device, folder / "a.img", how);
    std::size_t count = 0;
    while (source.next()) {
      ++count;
    }
    REQUIRE(count == 1);
  }
}

TEST_CASE("holes are skipped without reading", "[index]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  write_image(image, {1});
  REQUIRE(::truncate(image.c_str(), 200 * extent_bytes) == 0);
  write_block(image, 150 * extent_blocks + 5, 2);
  const auto tables = open_store(folder / "index");
  const scan_report report = scan(*tables, image);
  CHECK(report.read_bytes == 2 * extent_bytes);
  CHECK(report.hole_bytes == 198 * extent_bytes);
  CHECK(report.disk.data_blocks == 2);
  CHECK(tables->count()->groups == 2);
  hash_index lookup(tables);
  CHECK(proven(lookup, digests_of({1, 2})) == 2);
  SECTION("and what became a hole goes out of the index") {
    write_image(image, {1});
    REQUIRE(::truncate(image.c_str(), 200 * extent_bytes) == 0);
    scan(*tables, image);
    CHECK(tables->count()->groups == 1);
    CHECK(proven(lookup, digests_of({1, 2})) == 1);
  }
}

TEST_CASE("a rescan replaces what was there", "[index]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  write_image(image, ascending(1, 300));
  const auto tables = open_store(folder / "index");
  const scan_report first = scan(*tables, image);
  hash_index lookup(tables);
  SECTION("unchanged: nothing is written") {
    CHECK(scan(*tables, image).changed_groups == 0);
  }
  SECTION("one block changed: one pair goes, one comes") {
    write_block(image, 100, 5000);
    CHECK(scan(*tables, image).changed_groups == 1);
    CHECK(tables->count()->pairs == 300);
    CHECK(proven(lookup, digests_of({100, 101, 102})) == 2);
    CHECK(proven(lookup, digests_of({5000})) == 1);
  }
  SECTION("another size: the same path, another disk") {
    write_image(image, ascending(1000, 700));
    CHECK(scan(*tables, image).disk.id != first.disk.id);
    CHECK(tables->count()->pairs == 700);
    CHECK(tables->disks()->all().size() == 1);
    CHECK(proven(lookup, digests_of(ascending(1, 300))) == 0);
    CHECK(proven(lookup, digests_of(ascending(1000, 700))) == 700);
  }
}

TEST_CASE("a removed disk leaves nothing behind", "[index]") {
  const temp_folder folder;
  const auto tables = open_store(folder / "index");
  write_image(folder / "a.img", ascending(1, 600));
  write_image(folder / "b.img", ascending(500, 600));
  const auto a = scan(*tables, folder / "a.img");
  const auto b = scan(*tables, folder / "b.img");
  hash_index lookup(tables);
  REQUIRE(tables->remove_disk(a.disk.id));
  CHECK(proven(lookup, digests_of(ascending(1, 499))) == 0);
  CHECK(proven(lookup, digests_of(ascending(500, 600))) == 600);
  CHECK(tables->count()->pairs == 600);
  REQUIRE(tables->remove_disk(b.disk.id));
  const auto counts = tables->count();
  CHECK(counts->pairs == 0);
  CHECK(counts->groups == 0);
  CHECK(counts->buckets == 0);
  CHECK(counts->extents == 0);
  CHECK_FALSE(tables->remove_disk(b.disk.id));
}

TEST_CASE("a donor that changed after its scan gives what it holds now",
          "[index]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  write_image(image, ascending(1, 10));
  const auto tables = open_store(folder / "index");
  scan(*tables, image);
  hash_index lookup(tables);
  const auto runs = lookup.find_blocks(digests_of({4}));
  REQUIRE(runs.size() == 1);
  byte_buffer bytes(block_bytes);
  REQUIRE(lookup.read_donor(runs[0].donor, runs[0].offset, bytes));
  CHECK(bytes == block_of_content(4));
  write_block(image, 3, 4000);
  CHECK(lookup.find_blocks(digests_of({4})).size() == 1);
  REQUIRE(lookup.read_donor(runs[0].donor, runs[0].offset, bytes));
  CHECK(bytes == block_of_content(4000));
  SECTION("shorter") {
    REQUIRE(::truncate(image.c_str(), block_bytes) == 0);
    CHECK(
        lookup.read_donor(runs[0].donor, runs[0].offset, bytes).error().code ==
        errc::not_found);
    REQUIRE(::truncate(image.c_str(), 0) == 0);
    CHECK(lookup.read_donor(runs[0].donor, 0, bytes).error().code ==
          errc::not_found);
  }
  SECTION("set aside as a shadow, and taken up again") {
    const std::string aside = image + ".teleport-shadow";
    std::filesystem::rename(image, aside);
    REQUIRE(lookup.read_donor(runs[0].donor, runs[0].offset, bytes));
    CHECK(bytes == block_of_content(4000));
    std::filesystem::rename(aside, image);
    REQUIRE(lookup.read_donor(runs[0].donor, runs[0].offset, bytes));
  }
  SECTION("gone") {
    std::filesystem::remove(image);
    CHECK(
        lookup.read_donor(runs[0].donor, runs[0].offset, bytes).error().code ==
        errc::not_found);
  }
  SECTION("another file under its name") {
    write_image(folder / "new", ascending(50, 10));
    std::filesystem::rename(folder / "new", image);
    REQUIRE(lookup.read_donor(runs[0].donor, runs[0].offset, bytes));
    CHECK(bytes == block_of_content(53));
  }
  SECTION("out of range, or no such donor") {
    const std::uint64_t far = ~std::uint64_t{0} << 12U;
    CHECK_FALSE(lookup.read_donor(runs[0].donor, far, bytes));
    CHECK_FALSE(lookup.read_donor(runs[0].donor, 1, bytes));
    CHECK(lookup.read_donor(99, 0, bytes).error().code == errc::not_found);
  }
}

TEST_CASE("a cancelled scan keeps what it has and is repaired by the next",
          "[index]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  const auto contents = ascending(1, 70 * extent_blocks);
  write_image(image, contents);
  const auto tables = open_store(folder / "index");
  std::atomic<bool> cancel = false;
  scan_options options;
  options.threads = 1;
  options.cancel = &cancel;
  options.progress = [&](const scan_progress&) { cancel = true; };
  const auto report = scan_disk(*tables, image, options);
  REQUIRE_FALSE(report);
  CHECK(report.error().code == errc::cancelled);
  REQUIRE(tables->disks()->all().size() == 1);
  CHECK_FALSE(tables->disks()->all()[0].complete);
  CHECK(tables->count()->groups == 1);
  scan(*tables, image);
  CHECK(tables->count()->groups == 3);
  hash_index lookup(tables);
  CHECK(lookup.find_blocks(digests_of(contents)).size() == 1);
}

TEST_CASE("small batches give the same index as one", "[index]") {
  const temp_folder folder;
  const auto contents = ascending(1, 100 * extent_blocks);
  write_image(folder / "a.img", contents);
  const auto tables = open_store(folder / "index");
  scan_options options;
  options.batch_bytes = 200'000;
  scan(*tables, folder / "a.img", options);
  CHECK(tables->count()->pairs == contents.size());
  CHECK(tables->count()->buckets > 5);
  hash_index lookup(tables);
  const auto wanted = digests_of(contents);
  CHECK(lookup.find_blocks(wanted).size() == 1);
  std::size_t found = 0;
  for (const block_digest digest : wanted) {
    found += lookup.find_blocks(std::span(&digest, 1)).size();
  }
  CHECK(found == wanted.size());
}

TEST_CASE("a disk is not scanned twice at once, nor indexed twice", "[index]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  write_image(image, {1, 2});
  const auto tables = open_store(folder / "index");
  const auto disk = add_disk(*tables, image);
  REQUIRE(disk);
  {
    const auto lock = tables->lock_disk(disk->id);
    REQUIRE(lock);
    const auto refused = scan_disk(*tables, image, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::busy);
  }
  std::filesystem::create_hard_link(image, folder / "b.img");
  CHECK(add_disk(*tables, folder / "b.img").error().code == errc::busy);
  CHECK(add_disk(*tables, folder / "none").error().code == errc::not_found);
  CHECK(add_disk(*tables, "a.img").error().code == errc::bad_input);
  CHECK(add_disk(*tables, "/tmp").error().code == errc::bad_input);
}

TEST_CASE("who added a disk outlives scans, a new size and the list",
          "[index]") {
  const temp_folder folder;
  const std::string image = folder / "a.img";
  write_image(image, {1, 2});
  const auto list = [&] { return *path_list(folder / "index").read(); };
  auto tables = open_store(folder / "index");
  const auto added = add_disk(*tables, image, added_by::itself);
  REQUIRE(added);
  CHECK(added->by_itself);
  CHECK(scan(*tables, image).disk.by_itself);
  CHECK(tables->disks()->by_path(image)->by_itself);
  write_image(image, {1, 2, 3});
  const scan_report grown = scan(*tables, image);
  CHECK(grown.disk.id != added->id);
  CHECK(tables->disks()->by_path(image)->by_itself);
  // A database that is lost is not filled again with what comes by itself.
  tables.reset();
  tables = open_store(folder / "index");
  CHECK(list().empty());

  // A scan under way has read the record before an administrator named it.
  const disk_record before = *tables->disks()->by_path(image);
  const auto listed = add_disk(*tables, image);
  REQUIRE(listed);
  CHECK(listed->id == before.id);
  CHECK_FALSE(listed->by_itself);
  REQUIRE(tables->update_disk(before));
  CHECK_FALSE(tables->disks()->by_path(image)->by_itself);
  CHECK(list() == std::vector<std::string>{image});
  // What was named stays named.
  CHECK_FALSE(add_disk(*tables, image, added_by::itself)->by_itself);
  scan_options options;
  options.who = added_by::itself;
  CHECK_FALSE(scan(*tables, image, options).disk.by_itself);
  CHECK(tables->set_listed(99).error().code == errc::not_found);
}

TEST_CASE("a scan adds a disk in the name of who asked for it", "[index]") {
  const temp_folder folder;
  write_image(folder / "a.img", {1});
  write_image(folder / "b.img", {2});
  const auto tables = open_store(folder / "index");
  scan_options options;
  options.who = added_by::itself;
  CHECK(scan(*tables, folder / "a.img", options).disk.by_itself);
  CHECK_FALSE(scan(*tables, folder / "b.img").disk.by_itself);
}

}  // namespace teleport::index
