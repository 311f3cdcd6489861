// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/duet_test.cpp: the two sides of the disks, joined: whatever the
// guest writes, the index says and the scheduler does, the target is the
// source's disk in the end. test/fault/duet_seeds_test.cpp has many more seeds.

#include "test/support/duet.hpp"

#include <algorithm>
#include <random>

#include "libteleport/base/units.hpp"
#include "libteleport/migrate/extent_view.hpp"
#include "test/support/catch.hpp"
#include "test/support/duet_world.hpp"
#include "test/support/fake_lookup.hpp"
#include "test/support/memory_device.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

std::uint64_t sum_of(const rebuild_counts& counts) {
  return counts.zero + counts.in_place + counts.donors + counts.link;
}

/// The index has the target as it was at first, and nothing else.
class own_blocks : public fake_lookup {
 public:
  explicit own_blocks(memory_device& target) : target_(target) {
    add_donor(target.content());
  }
  result<void> read_donor(donor_id /*donor*/,
                          std::uint64_t offset,
                          std::span<std::byte> out) override {
    return target_.read_at(offset, out);
  }

 private:
  memory_device& target_;
};

/// Bulk, `rounds` rounds with a writing guest, and one with it suspended.
void move_disks(duet_world& world, duet& both, unsigned rounds) {
  unsigned calls = 0;
  both.while_running([&] {
    if (++calls % 4 == 0) {
      world.write_somewhere();
    }
  });
  REQUIRE(both.bulk());
  CHECK(sum_of(both.receiver().bulk()) == world.total_bytes());
  for (unsigned i = 0; i < rounds; ++i) {
    REQUIRE(both.round(world.take_dirty()));
  }
  both.while_running({});
  REQUIRE(both.round(world.take_dirty()));
  CHECK(both.receiver().all_proven());
  CHECK(both.broken() == "");
  CHECK(world.difference() == "");
}

}  // namespace

TEST_CASE("the target is the source's disk in the end", "[migrate]") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    duet_world world(seed, 1 + seed % 3, 1 + seed % 2);
    duet both(seed, world.sources(), world.targets(), world.lookup());
    move_disks(world, both, static_cast<unsigned>(seed % 4));
  }
}

TEST_CASE("what is known of a disk may have been written over since",
          "[migrate]") {
  source_counts sum;
  for (std::uint64_t seed = 100; seed < 140; ++seed) {
    CAPTURE(seed);
    duet_world world(seed, 1 + seed % 3, 1 + seed % 3);
    duet both(seed, world.sources(), world.targets(), world.lookup());
    both.know(world.know_some());
    for (std::uint64_t i = 0; i < seed % 5; ++i) {
      world.write_somewhere();
    }
    move_disks(world, both, static_cast<unsigned>(seed % 4));
    sum.known += both.sender().counts().known;
    sum.read_in_bulk += both.sender().counts().read_in_bulk;
  }
  CHECK(sum.known > 0);
  CHECK(sum.read_in_bulk > 0);
}

TEST_CASE("no more data is under way than allowed", "[migrate]") {
  memory_device source(byte_buffer(130 * extent_bytes + 512));
  memory_device target(byte_buffer(source.size()));
  for (std::size_t at = 0; at < source.size(); at += block_bytes) {
    source.content()[at] = std::byte{1};
  }
  fake_lookup lookup;
  duet both(7, {&source}, {{&target, true}}, lookup);
  REQUIRE(both.bulk());
  CHECK(both.broken() == "");
  CHECK(source.content() == target.content());
  dirty_map dirty(source.size(), extent_bytes);
  dirty.mark(0, dirty.disk_bytes());
  std::vector<dirty_map> all;
  all.push_back(std::move(dirty));
  REQUIRE(both.round(std::move(all)));
  CHECK(both.broken() == "");
}

TEST_CASE("an unchanged disk crosses the link as digests alone", "[migrate]") {
  byte_buffer content(3 * extent_bytes + 1024, std::byte{3});
  memory_device source(content);
  memory_device target(content);
  fake_lookup lookup;
  duet both(1, {&source}, {{&target, false}}, lookup);
  std::size_t link_bytes = 0;
  both.listen([&](bool, const raw_record& record) {
    link_bytes += record.body.size() + record_header_bytes;
  });
  REQUIRE(both.bulk());
  CHECK(both.receiver().bulk().in_place == content.size());
  CHECK(target.changes() == 0);
  CHECK(link_bytes < 300);
}

TEST_CASE("what moved within a disk is found after its place was overwritten",
          "[migrate]") {
  constexpr std::size_t extents = 12;
  byte_buffer before(extents * extent_bytes);
  std::mt19937_64 random(7);
  std::ranges::generate(before,
                        [&] { return static_cast<std::byte>(random()); });
  byte_buffer after(before.size());
  // Every extent's blocks go elsewhere: backwards, half of them to an extent
  // that is rebuilt before and half after; some blocks become zeros.
  const std::size_t blocks = before.size() / block_bytes;
  for (std::size_t i = 0; i < blocks; ++i) {
    if (i % 16 != 0) {
      std::ranges::copy(block_of(std::span(before), blocks - 1 - i),
                        block_of(std::span(after), i).begin());
    }
  }
  const temp_folder folder;
  const auto kept = before_images::create(folder.path());
  REQUIRE(kept);
  memory_device source(after);
  memory_device target(before);
  own_blocks lookup(target);
  target_disk to{&target};
  to.before = kept->get();
  duet both(GENERATE(1U, 2U, 3U), {&source}, {to}, lookup);
  REQUIRE(both.bulk());
  CHECK(both.broken() == "");
  CHECK(target.content() == after);
  // Of what the index finds one block in 64 has to be sent.
  CHECK(both.receiver().bulk().link <= extents * 4 * block_bytes);
  CHECK((*kept)->size() > 0);
}

TEST_CASE("a blank target stays thin under an empty disk", "[migrate]") {
  memory_device source(byte_buffer(5 * extent_bytes + 512));
  memory_device target(byte_buffer(source.size()));
  fake_lookup lookup;
  duet both(1, {&source}, {{&target, true}}, lookup);
  REQUIRE(both.bulk());
  CHECK(both.receiver().all_proven());
  CHECK(both.receiver().bulk().zero == source.size());
  CHECK(target.changes() == 0);
}

TEST_CASE("a donor's colliding block costs bytes and not the disk",
          "[migrate]") {
  const auto [mine, planted] = colliding_blocks(1);
  REQUIRE(mine != planted);
  REQUIRE(digest_block(mine) == digest_block(planted));
  // 32 blocks, of which one is the planted one's twin, and one is probed.
  byte_buffer disk;
  byte_buffer donor;
  for (std::size_t i = 0; i < 32; ++i) {
    const byte_buffer other(block_bytes, static_cast<std::byte>(i + 1));
    disk.insert(disk.end(), other.begin(), other.end());
    donor.insert(donor.end(), other.begin(), other.end());
  }
  std::ranges::copy(mine, disk.begin() + 9 * block_bytes);
  std::ranges::copy(planted, donor.begin() + 9 * block_bytes);
  std::uint64_t mismatches = 0;
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    memory_device source(disk);
    memory_device target{byte_buffer(disk.size())};
    fake_lookup lookup;
    lookup.add_donor(donor);
    duet both(seed, {&source}, {{&target, true}}, lookup);
    REQUIRE(both.bulk());
    CHECK((target.content() == disk));
    mismatches += both.receiver().bulk().mismatches;
    CHECK(both.receiver().bulk().link ==
          (both.receiver().bulk().mismatches == 0 ? block_bytes : disk.size()));
  }
  CHECK(mismatches >= 3);
}

TEST_CASE("a target's colliding block is replaced", "[migrate]") {
  const auto [mine, planted] = colliding_blocks(2);
  memory_device source(mine);
  memory_device target(planted);
  fake_lookup lookup;
  duet both(1, {&source}, {{&target, false}}, lookup);
  REQUIRE(both.bulk());
  CHECK(both.broken() == "");
  CHECK(target.content() == mine);
}

TEST_CASE("a guest without disks is complete at once", "[migrate]") {
  fake_lookup lookup;
  duet both(1, {}, {}, lookup);
  REQUIRE(both.bulk());
  CHECK(both.receiver().all_proven());
}

}  // namespace teleport
