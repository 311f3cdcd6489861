// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/whole_scan.hpp"

#include <cstdint>

#include "test/support/catch.hpp"

using namespace teleport;
using std::chrono::hours;
using std::chrono::seconds;

namespace {

constexpr seconds now{1'700'000'000};

std::uint64_t nanoseconds(seconds since) {
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(since).count());
}

/// A file that was written so long ago.
index::disk_identity file(seconds ago) {
  return {"file 8:1:5", nanoseconds(now - ago), true};
}
const index::disk_identity device{"disk 8:0 seq 3", 0, false};

/// What the index has of it since so long ago.
index::disk_record scanned(const index::disk_identity& what, seconds ago) {
  index::disk_record record;
  record.complete = true;
  record.identity = what.name;
  record.changed_at = what.changed_at;
  record.scanned_at = static_cast<std::uint64_t>((now - ago).count());
  return record;
}

constexpr disk_use unused{now, seconds(30), false};
constexpr disk_use used{now, seconds(30), true};

}  // namespace

TEST_CASE("a file is scanned when it was changed and is quiet", "[donors]") {
  CHECK(needs_whole_scan(nullptr, file(seconds(30)), unused));
  CHECK_FALSE(needs_whole_scan(nullptr, file(seconds(29)), unused));
  const auto same = scanned(file(hours(900)), hours(800));
  CHECK_FALSE(needs_whole_scan(&same, file(hours(900)), unused));
  CHECK(needs_whole_scan(&same, file(hours(1)), unused));
}

TEST_CASE("a guest's disk that is never quiet is scanned now and then",
          "[donors]") {
  CHECK(needs_whole_scan(nullptr, file(seconds(1)), used));
  const auto before = file(hours(200));
  const auto long_ago = scanned(before, whole_scan_interval);
  CHECK(needs_whole_scan(&long_ago, file(seconds(1)), used));
  const auto lately = scanned(before, whole_scan_interval - seconds(1));
  CHECK_FALSE(needs_whole_scan(&lately, file(seconds(1)), used));
}

TEST_CASE("a device that no tracker follows is scanned now and then",
          "[donors]") {
  CHECK(needs_whole_scan(nullptr, device, unused));
  const auto lately = scanned(device, whole_scan_interval - seconds(1));
  CHECK_FALSE(needs_whole_scan(&lately, device, unused));
  const auto long_ago = scanned(device, whole_scan_interval);
  CHECK(needs_whole_scan(&long_ago, device, unused));
  auto broken_off = lately;
  broken_off.complete = false;
  CHECK(needs_whole_scan(&broken_off, device, unused));
  auto another = lately;
  another.identity = "disk 8:0 seq 4";
  CHECK(needs_whole_scan(&another, device, unused));
}
