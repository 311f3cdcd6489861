// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fault/disk_faults_test.cpp: EIO at every call of a whole teleport, at
// the source and at the target: it fails, or the disk is right; and what a
// failure left is a target that the next attempt takes up.

#include <memory>

#include "libteleport/base/units.hpp"
#include "test/support/catch.hpp"
#include "test/support/duet.hpp"
#include "test/support/fake_lookup.hpp"
#include "test/support/faulty_device.hpp"
#include "test/support/memory_device.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

/// Two extents and a bit; blocks that a donor has, zeros, and others.
byte_buffer source_content() {
  byte_buffer content(2 * extent_bytes + 1536);
  for (std::size_t at = 0; at < content.size(); at += 512) {
    const std::size_t block = at / block_bytes;
    content[at] = block % 3 == 0 ? std::byte{0} : static_cast<std::byte>(block);
  }
  return content;
}

struct disks {
  explicit disks(bool blank)
      : source(source_content()),
        target(blank ? byte_buffer(source.size())
                     : byte_buffer(source.size(), std::byte{0xaa})) {
    byte_buffer donor(source.content());
    donor.resize(extent_bytes / 2);
    lookup.add_donor(std::move(donor));
  }

  result<void> move(block_device& from, const target_disk& to) {
    duet both(3, {&from}, {to}, lookup);
    both.look_at({&target});
    auto outcome = both.bulk();
    if (!outcome) {
      return outcome;
    }
    // The guest wrote, and frees a run of blocks.
    dirty_map dirty(source.size(), block_bytes);
    source.content()[7] = std::byte{0x77};
    dirty.mark(0, 512);
    for (std::size_t i = 0; i < 40 * block_bytes; ++i) {
      source.content()[extent_bytes + i] = std::byte{0};
    }
    dirty.mark(extent_bytes, 40 * block_bytes);
    std::vector<dirty_map> all;
    all.push_back(std::move(dirty));
    outcome = both.round(std::move(all));
    CHECK(both.broken() == "");
    if (outcome) {
      CHECK(both.receiver().all_proven());
      outcome = to.device->flush();
    }
    return outcome;
  }

  memory_device source;
  memory_device target;
  fake_lookup lookup;
};

}  // namespace

TEST_CASE("an error of the source's disk fails the run at every call",
          "[fault]") {
  unsigned failures = 0;
  for (unsigned n = 0;; ++n) {
    CAPTURE(n);
    disks test(true);
    faulty_device source(test.source, n);
    const auto outcome = test.move(source, {&test.target, true});
    if (!source.has_failed()) {
      REQUIRE(outcome);
      CHECK(test.source.content() == test.target.content());
      break;
    }
    ++failures;
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == errc::system);
  }
  CHECK(failures >= 5);
}

TEST_CASE(
    "an error of the target's disk fails the run at every call, and the "
    "next attempt takes up what is there",
    "[fault]") {
  for (const bool blank : {true, false}) {
    unsigned failures = 0;
    for (unsigned n = 0;; ++n) {
      CAPTURE(blank, n);
      disks test(blank);
      faulty_device target(test.target, n);
      const auto outcome = test.move(test.source, {&target, blank});
      if (!target.has_failed()) {
        REQUIRE(outcome);
        CHECK(test.source.content() == test.target.content());
        break;
      }
      ++failures;
      REQUIRE_FALSE(outcome);
      CHECK(outcome.error().code == errc::system);
      REQUIRE(test.move(test.source, {&test.target, false}));
      CHECK(test.source.content() == test.target.content());
    }
    CHECK(failures >= 10);
  }
}

}  // namespace teleport
