// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/bulk_order.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"

namespace teleport {
namespace {

std::vector<extent_run> runs_of(const std::vector<std::uint64_t>& disk_bytes) {
  std::vector<extent_run> runs;
  for (bulk_order order(disk_bytes); !order.over(); order.advance()) {
    runs.push_back(*order.next());
  }
  return runs;
}

TEST_CASE("every extent of every disk has its turn once", "[migrate]") {
  const std::vector<std::vector<std::uint64_t>> some = {
      {},
      {0},
      {1},
      {extent_bytes},
      {0, 0, 4096, 0},
      {9 * extent_bytes + 512},
      {3 * extent_bytes, 0, 700 * extent_bytes + 1, 64 * extent_bytes},
      {1000 * extent_bytes}};
  for (const auto& disks : some) {
    std::set<std::pair<std::size_t, std::uint64_t>> seen;
    for (const extent_run& run : runs_of(disks)) {
      REQUIRE(run.disk < disks.size());
      CHECK(run.count >= 1);
      CHECK(run.count <= bulk_order::run_extents);
      for (std::size_t i = 0; i < run.count; ++i) {
        CHECK(seen.emplace(run.disk, run.first + i).second);
      }
    }
    std::size_t all = 0;
    for (std::size_t disk = 0; disk < disks.size(); ++disk) {
      all += extents_of(disks[disk]);
      CHECK((disks[disk] == 0 ||
             seen.contains({disk, extents_of(disks[disk]) - 1})));
    }
    CHECK(seen.size() == all);
  }
}

TEST_CASE("sections of the disks are gone through side by side", "[migrate]") {
  const std::uint64_t each = bulk_order::run_extents * bulk_order::sections;
  const auto runs = runs_of({2 * each * extent_bytes});
  REQUIRE(runs.size() == 2 * bulk_order::sections);
  CHECK(runs[0] == extent_run{0, 0, bulk_order::run_extents});
  CHECK(runs[1].first == each * 2 / bulk_order::sections);
  CHECK(runs[bulk_order::sections] ==
        extent_run{0, bulk_order::run_extents, bulk_order::run_extents});
}

TEST_CASE("what is nothing to announce is over at once", "[migrate]") {
  CHECK(bulk_order().over());
  CHECK(bulk_order({0, 0}).over());
}

}  // namespace
}  // namespace teleport
