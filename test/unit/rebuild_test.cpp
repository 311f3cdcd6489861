// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/rebuild_test.cpp: an extent whose bytes were not kept while its
// gaps were on their way. (With bytes kept, and all else: duet_test.cpp.)

#include "libteleport/migrate/rebuild.hpp"

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/before_images.hpp"
#include "libteleport/migrate/capture.hpp"
#include "test/support/catch.hpp"
#include "test/support/fake_lookup.hpp"
#include "test/support/memory_device.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

constexpr std::size_t in_place = 100;
constexpr std::size_t donated = 180;
// Of the donated ones, to be proven.
constexpr std::size_t probed = 2;

void check_step(const result<step_result>& outcome, step_result expected) {
  REQUIRE(outcome);
  CHECK(*outcome == expected);
}

/// Of one extent, blocks up to `in_place` are on the target, those up to
/// `donated` in a donor, the others are gaps.
struct torn_extent {
  explicit torn_extent(bool keep_bytes = false)
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
    check_step(examine(disk(), extent.digest, work),
               step_result::wants_digests);
    check_step(assemble(disk(),
                        lookup,
                        digests_of(extent),
                        assembly(probe_of(1), keep_bytes),
                        work),
               step_result::has_gaps);
  }
  static std::span<std::byte> block(memory_device& disk, std::size_t index) {
    return std::span(disk.content()).subspan(index * block_bytes, block_bytes);
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

/// The path, by this process's descriptor, of the file that before_images has
/// in a folder.
std::string file_without_name(const std::string& folder) {
  namespace fs = std::filesystem;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = fs::read_symlink(entry.path(), gone);
    if (target.starts_with(folder + "/#")) {
      return entry.path();
    }
  }
  return {};
}

}  // namespace

TEST_CASE("what was found is put together again when the gaps come",
          "[migrate]") {
  torn_extent test;
  CHECK(test.work.bytes.empty());
  CHECK(test.work.have.count() == donated - probed);
  const auto data = test.gaps();
  check_step(fill(test.disk(), test.lookup, data, test.work),
             step_result::proven);
  CHECK(test.target.content() == test.source.content());
  CHECK(test.work.counts.in_place == in_place * block_bytes);
  CHECK(test.work.counts.donors == (donated - in_place - probed) * block_bytes);
  CHECK(test.work.counts.link ==
        (extent_blocks - donated + probed) * block_bytes);
}

TEST_CASE("what is not found again is sent as a whole", "[migrate]") {
  torn_extent test;
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
    torn_extent test(kept);
    auto data = test.gaps();
    torn_extent::block(test.source, 3)[0] = std::byte{0xaa};
    const auto now = capture(test.source, {0, 0});
    REQUIRE(now);
    data = data_of(*now, data.head.data | block_mask::first(4));
    check_step(fill(test.disk(), test.lookup, data, test.work),
               step_result::proven);
    CHECK((test.target.content() == test.source.content()));
  }
}

TEST_CASE("a block that was kept before it was overwritten is checked",
          "[migrate]") {
  const temp_folder folder;
  const auto before = before_images::create(folder.path());
  REQUIRE(before);
  // The extent's second half was elsewhere on the target, and is kept; two
  // blocks of it are spoiled since in the file that they are kept in.
  torn_extent test;
  (*before)->keep(std::span<const std::byte>(test.source.content())
                      .subspan(extent_bytes / 2));
  const unique_fd kept(
      ::open(file_without_name(folder.path()).c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(kept);
  const std::byte spoiled{0xee};
  REQUIRE(::pwrite(kept.get(), &spoiled, 1, 60 * block_bytes + 9) == 1);
  REQUIRE(::pwrite(kept.get(), &spoiled, 1, 99 * block_bytes) == 1);
  memory_device target(byte_buffer{extent_bytes});
  target_disk disk{&target};
  disk.before = before->get();
  fake_lookup nothing;
  extent_work work;
  work.place = {0, 0};
  check_step(examine(disk, test.extent.digest, work),
             step_result::wants_digests);
  check_step(
      assemble(
          disk, nothing, digests_of(test.extent), assembly(probe_of(1)), work),
      step_result::has_gaps);
  // The two are gaps, as what was never there is: not found out only by the
  // extent's SHA-256, which costs the whole extent.
  CHECK(work.have.count() == extent_blocks / 2 - 2);
  CHECK_FALSE(work.have.test(128 + 60));
  CHECK_FALSE(work.have.test(128 + 99));
  const auto gaps =
      data_of(test.extent, block_mask::first(extent_blocks) - work.have);
  check_step(fill(disk, nothing, gaps, work), step_result::proven);
  CHECK(target.content() == test.source.content());
}

TEST_CASE("a target that cannot be read a second time tells of it",
          "[migrate]") {
  torn_extent test;
  test.work.place.extent = 1;  // past its end
  const auto data = test.gaps();
  CHECK_FALSE(fill(test.disk(), test.lookup, data, test.work));
}

}  // namespace teleport
