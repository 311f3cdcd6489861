// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/marks_test.cpp: the last marks are taken when no write is in flight
// and count only when the tracker and what is known of the disk vouch for them.

#include "xl-teleport/source/marks.hpp"

#include <string>
#include <vector>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/snapshot_content.hpp"

using namespace teleport;

namespace {

/// Answers as told and remembers what it was asked.
class told_tracker : public write_tracker {
 public:
  result<dirty_map> take() override {
    calls.emplace_back("take");
    dirty_map map(2 * extent_bytes, block_bytes);
    map.mark(block_bytes * takes++, 1);
    return fails_at == "take" ? result<dirty_map>(failure) : map;
  }
  [[nodiscard]] block_mask written_since(std::uint64_t) const override {
    return {};
  }
  result<bool> idle() override {
    calls.emplace_back("idle");
    return fails_at == "idle" ? result<bool>(failure) : result<bool>(true);
  }
  result<void> audit() override {
    calls.emplace_back("audit");
    return fails_at == "audit" ? result<void>(failure) : result<void>();
  }

  const error failure{errc::mismatch, "told to fail"};
  std::vector<std::string> calls;
  std::string fails_at;
  std::uint64_t takes = 0;
};

}  // namespace

TEST_CASE("marks add up until they are sent", "[marks]") {
  told_tracker tracker;
  dirty_map dirty;
  REQUIRE(take_marks(tracker, nullptr, dirty));
  REQUIRE(take_marks(tracker, nullptr, dirty));
  CHECK(dirty.bytes() == 2 * block_bytes);
  CHECK(tracker.calls == std::vector<std::string>{"take", "take"});
}

TEST_CASE("the last marks are taken at rest, and then vouched for", "[marks]") {
  told_tracker tracker;
  snapshot_content known{byte_buffer(extent_bytes)};
  dirty_map dirty;
  REQUIRE(take_last_marks(tracker, &known, dirty));
  CHECK(dirty.bytes() == block_bytes);
  CHECK(tracker.calls == std::vector<std::string>{"idle", "take", "audit"});
  CHECK(known.audits() == 1);
  CHECK(take_last_marks(tracker, nullptr, dirty));
}

TEST_CASE("what was told of a disk and is doubted at the last moment is read",
          "[marks]") {
  told_tracker tracker;
  snapshot_content known{byte_buffer(2 * extent_bytes)};
  known.set_audit(error(errc::mismatch, "a write before the tracker"));
  dirty_map dirty(2 * extent_bytes, block_bytes);
  SECTION("an extent that was told") {
    REQUIRE(known.find(1));
    REQUIRE(take_last_marks(tracker, &known, dirty));
    CHECK(dirty.bytes() == block_bytes + extent_bytes);
    CHECK(dirty.next_extent(1) == 1);
  }
  SECTION("and none that was not") {
    REQUIRE(take_last_marks(tracker, &known, dirty));
    CHECK(dirty.bytes() == block_bytes);
  }
}

TEST_CASE("what is doubted between rounds is read once, in the next round",
          "[marks]") {
  told_tracker tracker;
  snapshot_content known{byte_buffer(2 * extent_bytes)};
  known.set_check(error(errc::mismatch, "the index was begun anew"));
  REQUIRE(known.find(1));
  dirty_map dirty(2 * extent_bytes, block_bytes);
  REQUIRE(take_marks(tracker, &known, dirty));
  CHECK(dirty.bytes() == block_bytes + extent_bytes);
  dirty_map next(2 * extent_bytes, block_bytes);
  REQUIRE(take_marks(tracker, &known, next));
  CHECK(next.bytes() == block_bytes);
}

TEST_CASE("a tracker's failure is one whatever is known", "[marks]") {
  for (const char* step : {"idle", "take", "audit"}) {
    CAPTURE(step);
    told_tracker tracker;
    tracker.fails_at = step;
    snapshot_content known{byte_buffer(extent_bytes)};
    dirty_map dirty;
    CHECK_FALSE(take_last_marks(tracker, &known, dirty));
    CHECK(tracker.calls.back() == step);
    CHECK(known.audits() == 0);
  }
}
