// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/index_coverage_test.cpp: content is told without reading only when
// nothing at all speaks against it. The same with a kernel's trackers is in
// test/root/coverage_test.cpp.

#include <functional>

#include "index/coverage.hpp"
#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"

namespace teleport::index {

namespace {

unique_id id_of(int number) {
  unique_id made;
  made.bytes[0] = static_cast<std::byte>(number);
  return made;
}

/// A disk that was scanned under its tracker, in its index.
struct known_disk {
  unique_id index = id_of(1);
  coverage tracker{id_of(2), id_of(1), 7, 64_MiB};
  disk_record record;

  known_disk() {
    record.complete = true;
    record.tracker = tracker.life;
    record.epoch = tracker.served_epoch;
    record.size = tracker.disk_bytes;
  }
  [[nodiscard]] bool is_covered() const {
    return covers(tracker, index, record);
  }
};

}  // namespace

TEST_CASE("a record counts for the tracker that saw its scan, in its index",
          "[index]") {
  known_disk disk;
  CHECK(disk.is_covered());
  disk.record.epoch += 3;  // others have brought it up to date since
  CHECK(disk.is_covered());
}

TEST_CASE("one doubt about a record is enough", "[index]") {
  struct doubt {
    const char* what;
    std::function<void(known_disk&)> sow;
  };
  const auto doubted = GENERATE(values<doubt>({
      {"its scan was not completed",
       [](known_disk& disk) { disk.record.complete = false; }},
      {"another tracker saw the scan",
       [](known_disk& disk) { disk.record.tracker = id_of(3); }},
      {"no tracker saw the scan",
       [](known_disk& disk) { disk.record.tracker = unique_id(); }},
      {"neither the tracker nor the record says which life it is",
       [](known_disk& disk) {
         disk.tracker.life = disk.record.tracker = unique_id();
       }},
      {"the marks go into another index",
       [](known_disk& disk) { disk.tracker.index = id_of(3); }},
      {"neither the tracker nor the index says which index it is",
       [](known_disk& disk) { disk.index = disk.tracker.index = unique_id(); }},
      {"an older copy of the index has come back",
       [](known_disk& disk) { --disk.record.epoch; }},
      {"the disk had another size",
       [](known_disk& disk) { disk.record.size += sector_bytes; }},
  }));
  INFO(doubted.what);
  known_disk disk;
  doubted.sow(disk);
  CHECK_FALSE(disk.is_covered());
}

}  // namespace teleport::index
