// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/rebuild_test.cpp: an extent whose bytes were not kept while its
// gaps were on their way. (With bytes kept, and all else: duet_test.cpp.)

#include "libteleport/migrate/rebuild.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <catch2/catch.hpp>

#include "libteleport/migrate/capture.hpp"
#include "test/support/fake_lookup.hpp"
#include "test/support/memory_device.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

constexpr std::size_t in_place = 100;
constexpr std::size_t donated = 180;

void check_step(const result<step_result>& outcome, step_result expected) {
  REQUIRE(outcome);
  CHECK(*outcome == expected);
}

/// Of one extent, blocks up to `in_place` are on the target, those up to
/// `donated` in a donor, the others are gaps.
struct bench {
  explicit bench(bool keep_bytes = false)
      : source(byte_buffer(extent_bytes)), target(byte_buffer(extent_bytes)) {
    for (std::size_t i = 0; i < extent_blocks; ++i) {
      std::ranges::fill(block(source, i), static_cast<std::byte>(i + 1));
      block(source, i)[7] = std::byte{9};
    }
    std::ranges::copy(std::span(source.content()).first(in_place * block_bytes),
                      target.content().begin());
    lookup.add_donor(
        byte_buffer(source.content().begin() + in_place * block_bytes,
                    source.content().begin() + donated * block_bytes));
    work.place = {0, 0};
    auto captured = capture(source, {0, 0});
    REQUIRE(captured);
    extent = std::move(*captured);
    check_step(examine(disk(), lookup, extent.digest, work),
               step_result::wants_digests);
    check_step(assemble(disk(), lookup, digests_of(extent), keep_bytes, work),
               step_result::has_gaps);
  }
  static std::span<std::byte> block(memory_device& of, std::size_t index) {
    return std::span(of.content()).subspan(index * block_bytes, block_bytes);
  }
  target_disk disk() { return {&target}; }
  block_data gaps() {
    return data_of(extent, block_mask::first(extent_blocks) - work.have);
  }

  memory_device source;
  memory_device target;
  fake_lookup lookup;
  captured_extent extent;
  extent_work work;
};

}  // namespace

TEST_CASE("what was found is put together again when the gaps come",
          "[migrate]") {
  bench test;
  CHECK(test.work.bytes.empty());
  CHECK(test.work.have.count() == donated);
  const auto data = test.gaps();
  check_step(fill(test.disk(), test.lookup, data, test.work),
             step_result::proven);
  CHECK(test.target.content() == test.source.content());
  CHECK(test.work.counts.in_place == in_place * block_bytes);
  CHECK(test.work.counts.donors == (donated - in_place) * block_bytes);
  CHECK(test.work.counts.link == (extent_blocks - donated) * block_bytes);
}

TEST_CASE("what is not found again is sent as a whole", "[migrate]") {
  bench test;
  const byte_buffer before = test.target.content();
  test.lookup.donor(0)[5] = std::byte{0x77};
  const auto data = test.gaps();
  check_step(fill(test.disk(), test.lookup, data, test.work),
             step_result::mismatch);
  CHECK(test.work.bytes.empty());
  CHECK(test.work.counts.mismatches == 1);
  CHECK(test.target.content() == before);
  const auto whole = data_of(test.extent, block_mask::first(extent_blocks));
  check_step(fill(test.disk(), test.lookup, whole, test.work),
             step_result::proven);
  CHECK(test.target.content() == test.source.content());
  CHECK(test.work.counts.link == extent_bytes);
}

TEST_CASE("a block in place that was written since is written there too",
          "[migrate]") {
  for (const bool kept : {true, false}) {
    CAPTURE(kept);
    bench test(kept);
    auto data = test.gaps();
    bench::block(test.source, 3)[0] = std::byte{0xaa};
    const auto now = capture(test.source, {0, 0});
    REQUIRE(now);
    data = data_of(*now, data.head.data | block_mask::first(4));
    check_step(fill(test.disk(), test.lookup, data, test.work),
               step_result::proven);
    CHECK((test.target.content() == test.source.content()));
  }
}

TEST_CASE("a target that cannot be read a second time tells of it",
          "[migrate]") {
  bench test;
  test.work.place.extent = 1;  // past its end
  const auto data = test.gaps();
  CHECK_FALSE(fill(test.disk(), test.lookup, data, test.work));
}

}  // namespace teleport
