// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/possession_probe_test.cpp: which blocks have to cross the link
// although donors hold them, and what comes of a source that lacks them.

#include "libteleport/migrate/possession_probe.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "libteleport/base/units.hpp"
#include "libteleport/migrate/capture.hpp"
#include "libteleport/migrate/rebuild.hpp"
#include "test/support/catch.hpp"
#include "test/support/fake_lookup.hpp"
#include "test/support/memory_device.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

/// A donor has the whole extent, and the target nothing.
struct donated_extent {
  donated_extent() : source(byte_buffer(extent_bytes)) {
    for (std::size_t i = 0; i < extent_blocks; ++i) {
      std::ranges::fill(
          std::span(source.content()).subspan(i * block_bytes, block_bytes),
          static_cast<std::byte>(i + 1));
      source.content()[i * block_bytes] = std::byte{9};
    }
    lookup.add_donor(source.content());
    auto captured = capture(source, {0, 0});
    REQUIRE(captured);
    extent = std::move(*captured);
    work.place = {0, 0};
  }

  /// Until blocks are wanted.
  void announce() {
    const auto examined = examine(disk(), extent.digest, work);
    REQUIRE(examined);
    REQUIRE(*examined == step_result::wants_digests);
    const auto assembled = assemble(
        disk(), lookup, digests_of(extent), assembly(probe_of(1)), work);
    REQUIRE(assembled);
    REQUIRE(*assembled == step_result::has_gaps);
  }
  [[nodiscard]] block_mask wanted() const {
    return block_mask::first(extent_blocks) - work.have;
  }
  target_disk disk() { return {&target, true}; }

  memory_device source;
  memory_device target{byte_buffer(extent_bytes)};
  fake_lookup lookup;
  captured_extent extent;
  extent_work work;
};

}  // namespace

TEST_CASE("one of 64 donated blocks is asked for, and at least one",
          "[migrate]") {
  for (std::size_t count : {0U, 1U, 2U, 63U, 64U, 65U, 128U, 255U, 256U}) {
    CAPTURE(count);
    const block_mask donated = block_mask::first(count);
    const block_mask chosen = probe_of(1).choose({0, 7}, donated);
    CHECK(chosen.count() == (count + 63) / 64);
    CHECK((chosen - donated).none());
    CHECK(chosen == probe_of(1).choose({0, 7}, donated));
  }
}

TEST_CASE("no block is left out for ever, whatever the place and the secret",
          "[migrate]") {
  const block_mask all = block_mask::first(extent_blocks);
  block_mask by_place;
  block_mask by_disk;
  for (std::uint16_t i = 0; i < 1000; ++i) {
    by_place = by_place | probe_of(1).choose({0, i}, all);
    by_disk = by_disk | probe_of(1).choose({i, 0}, all);
  }
  CHECK(by_place == all);
  CHECK(by_disk == all);
  CHECK(probe_of(1).choose({0, 0}, all) != probe_of(2).choose({0, 0}, all));
  CHECK(possession_probe::make().choose({0, 0}, all) !=
        possession_probe::make().choose({0, 0}, all));
}

TEST_CASE("a source that has an extent sends the blocks that prove it",
          "[migrate]") {
  donated_extent test;
  test.announce();
  CHECK(test.wanted().count() == 4);
  CHECK(test.target.changes() == 0);
  const auto filled = fill(
      test.disk(), test.lookup, data_of(test.extent, test.wanted()), test.work);
  REQUIRE(filled);
  CHECK(*filled == step_result::proven);
  CHECK((test.target.content() == test.source.content()));
  CHECK(test.work.counts.link == 4 * block_bytes);
  CHECK(test.work.counts.donors == extent_bytes - 4 * block_bytes);
}

TEST_CASE("a source that has digests of an extent alone gets nothing of it",
          "[migrate]") {
  donated_extent test;
  test.announce();
  // The digests are right, and so is the proof; the bytes are made up.
  auto made_up = data_of(test.extent, test.wanted());
  std::ranges::fill(made_up.raw, std::byte{0x55});
  const auto filled = fill(test.disk(), test.lookup, made_up, test.work);
  REQUIRE(filled);
  CHECK(*filled == step_result::mismatch);
  CHECK(test.target.changes() == 0);
  CHECK(test.work.bytes.empty());
  // From now on the donors count for nothing.
  auto whole = data_of(test.extent, block_mask::first(extent_blocks));
  std::ranges::fill(whole.raw, std::byte{0x55});
  CHECK_FALSE(fill(test.disk(), test.lookup, whole, test.work));
  CHECK(test.target.changes() == 0);
}

}  // namespace teleport
