// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/index_check_test.cpp: an index with faults of every kind is found
// out and mended; what other disks hold of one.

#include "index/check.hpp"
#include "index/holdings.hpp"
#include "index/lmdb.hpp"
#include "test/unit/index_fixture.hpp"

namespace teleport::index {

namespace {

/// An index of two disks that share some blocks, and its folder.
struct indexed {
  temp_folder folder{"/dev/shm"};
  std::vector<std::uint64_t> a = ascending(1, 40 * extent_blocks);
  std::vector<std::uint64_t> b =
      ascending(20 * extent_blocks + 1, 40 * extent_blocks);
  std::shared_ptr<store> tables;

  indexed() {
    expect_warnings();
    write_image(folder / "a.img", a);
    write_image(folder / "b.img", b);
    tables = open_store(folder / "index");
    scan(*tables, folder / "a.img");
    scan(*tables, folder / "b.img");
  }
  [[nodiscard]] std::size_t found(const std::vector<std::uint64_t>& contents) {
    hash_index lookup(tables);
    std::size_t count = 0;
    // One by one: nothing is found for being a neighbour.
    for (const block_digest digest : digests_of(contents)) {
      count += lookup.find_blocks(std::span(&digest, 1)).size();
    }
    return count;
  }
  /// Changes values below the store's back.
  void change(const char* table,
              const std::function<result<void>(write_txn&, lmdb_table)>& how) {
    tables.reset();
    {
      const auto env = lmdb_env::open(folder / "index", {true});
      REQUIRE(env);
      const auto opened = (*env)->table(table);
      REQUIRE(opened);
      REQUIRE((*env)->write([&](write_txn& txn) { return how(txn, *opened); }));
    }
    tables = open_store(folder / "index");
  }
};

/// Flips a bit in the middle of the first value.
result<void> damage_first(write_txn& txn, lmdb_table table) {
  byte_buffer key;
  byte_buffer value;
  {
    auto cursor = txn.cursor(table);
    REQUIRE(*cursor->seek({}));
    key.assign(cursor->key().begin(), cursor->key().end());
    value.assign(cursor->value().begin(), cursor->value().end());
  }
  value[value.size() / 2] ^= std::byte{4};
  return txn.put(table, key, value);
}

check_report checked(store& tables, bool repair) {
  const auto report = check_index(tables, repair, nullptr);
  if (!report) {
    FAIL(report.error().context);
  }
  return *report;
}

}  // namespace

TEST_CASE("a sound index has no faults", "[index]") {
  indexed the;
  const check_report report = checked(*the.tables, true);
  CHECK(report.faults() == 0);
  CHECK(report.groups == 4);
  CHECK(report.pairs == 80 * extent_blocks);
  CHECK(report.extents == 60);
  CHECK(report.to_be_scanned.empty());
}

TEST_CASE("a damaged bucket is built again from the disks' digests",
          "[index]") {
  indexed the;
  the.change("buckets", damage_first);
  CHECK(the.tables->count()->damaged_values == 1);
  const check_report told = checked(*the.tables, false);
  CHECK(told.damaged_buckets == 1);
  CHECK(the.tables->count()->damaged_values == 1);
  const check_report mended = checked(*the.tables, true);
  CHECK(mended.damaged_buckets == 1);
  CHECK(mended.missing_pairs > 0);
  CHECK(checked(*the.tables, false).faults() == 0);
  CHECK(the.found(the.a) == the.a.size());
  CHECK(the.found(the.b) == the.b.size());
}

TEST_CASE("a damaged group goes, and its disk is to be scanned", "[index]") {
  indexed the;
  the.change("groups", damage_first);
  const check_report mended = checked(*the.tables, true);
  CHECK(mended.damaged_groups == 1);
  CHECK(mended.to_be_scanned == std::vector{the.folder / "a.img"});
  CHECK_FALSE(the.tables->disks()->by_path(the.folder / "a.img")->complete);
  const check_report again = checked(*the.tables, false);
  CHECK(again.faults() == 0);
  scan(*the.tables, the.folder / "a.img");
  CHECK(the.found(the.a) == the.a.size());
  CHECK(checked(*the.tables, false).faults() == 0);
}

TEST_CASE("what leads nowhere and what nothing leads to is mended", "[index]") {
  indexed the;
  SECTION("pairs of a place that holds another digest, or none") {
    changes lies;
    lies.change_pair({77, 3, 9, true});
    lies.change_pair({78, 39, 9, true});
    lies.change_pair({tag_of(digest_of(5)), 0, 4, false});
    REQUIRE(the.tables->apply(lies));
    const check_report report = checked(*the.tables, true);
    CHECK(report.stale_pairs == 2);
    CHECK(report.missing_pairs == 1);
    CHECK(the.found({5}) == 1);
  }
  SECTION("slots of other extents") {
    changes lies;
    extent_digest sha{};
    sha[0] = std::byte{1};
    lies.change_extent(sha, 3, true);
    const byte_buffer block = block_of_content(0);
    REQUIRE(the.tables->apply(lies));
    CHECK(checked(*the.tables, true).stale_extents == 1);
  }
  SECTION("an emptied table") {
    the.change("extents", [](write_txn& txn, lmdb_table table) -> result<void> {
      for (;;) {
        byte_buffer key;
        {
          auto cursor = txn.cursor(table);
          if (!*cursor->seek({})) {
            return {};
          }
          key.assign(cursor->key().begin(), cursor->key().end());
        }
        result<void> gone = txn.erase(table, key);
        if (!gone) {
          return gone;
        }
      }
    });
    CHECK(checked(*the.tables, true).missing_extents == 80);
  }
  CHECK(checked(*the.tables, false).faults() == 0);
}

TEST_CASE("groups of no disk go", "[index]") {
  indexed the;
  the.change("groups", [](write_txn& txn, lmdb_table table) {
    return txn.put(table, big_endian_key(900), byte_buffer(20));
  });
  CHECK(checked(*the.tables, true).ownerless_groups == 1);
  CHECK(the.tables->count()->groups == 4);
}

TEST_CASE("no check while a disk is scanned", "[index]") {
  indexed the;
  const auto lock = the.tables->lock_disk(1);
  REQUIRE(lock);
  CHECK(check_index(*the.tables, true, nullptr).error().code == errc::busy);
}

TEST_CASE("what other disks hold of one is told without reading it",
          "[index]") {
  indexed the;
  std::filesystem::remove(the.folder / "a.img");
  const auto disks = the.tables->disks();
  const disk_record* a = disks->by_path(the.folder / "a.img");
  const disk_record* b = disks->by_path(the.folder / "b.img");
  const auto sum = find_holdings_of(*the.tables, a->id, nullptr);
  REQUIRE(sum);
  CHECK(sum->found == 20 * extent_blocks);
  CHECK(sum->missing == 20 * extent_blocks);
  CHECK(sum->zero == 0);
  CHECK(sum->whole_extents == 20);
  CHECK(sum->by_donor ==
        std::map<donor_id, std::uint64_t>{{b->id, 20 * extent_blocks}});
  CHECK(find_holdings_of(*the.tables, 99, nullptr).error().code ==
        errc::not_found);
}

}  // namespace teleport::index
