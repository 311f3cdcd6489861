// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/sender_known_test.cpp: what is known of a disk is announced without
// reading it, of the rest only what the destination wants is read, and a disk
// that has been written since ends up right all the same.

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "libteleport/base/units.hpp"
#include "libteleport/migrate/disk_sender.hpp"
#include "test/support/catch.hpp"
#include "test/support/duet.hpp"
#include "test/support/fake_lookup.hpp"
#include "test/support/faulty_device.hpp"
#include "test/support/memory_device.hpp"
#include "test/support/print_error.hpp"
#include "test/support/snapshot_content.hpp"

namespace teleport {

namespace {

/// Remembers what was read: offset and length.
class counting_device : public memory_device {
 public:
  using memory_device::memory_device;
  result<void> read_at(std::uint64_t offset,
                       std::span<std::byte> out) override {
    reads.emplace_back(offset, out.size());
    return memory_device::read_at(offset, out);
  }
  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [offset, length] : reads) {
      sum += length;
    }
    return sum;
  }
  std::vector<std::pair<std::uint64_t, std::size_t>> reads;
};

using reads = decltype(counting_device::reads);

constexpr std::size_t tail_bytes = 2 * block_bytes + 1024;
constexpr std::size_t disk_bytes = 3 * extent_bytes + tail_bytes;

/// Two extents in which each block is its own, one of zeros, and a short one.
byte_buffer content() {
  byte_buffer disk(disk_bytes);
  for (std::size_t at = 0; at < disk.size(); at += 512) {
    const bool zero = at / extent_bytes == 2;
    store_le(zero ? std::uint64_t{0} : at / block_bytes + 1,
             std::span(disk).subspan(at));
  }
  return disk;
}

std::span<std::byte> block(memory_device& disk,
                           std::uint64_t extent,
                           std::size_t index) {
  const std::size_t at = extent * extent_bytes + index * block_bytes;
  return std::span(disk.content())
      .subspan(at, std::min(block_bytes, disk.content().size() - at));
}

/// A disk, what was known of it, and a target that has all of it at first.
struct bench {
  /// @param blank  the target has nothing
  explicit bench(bool blank = false)
      : target(blank ? byte_buffer(disk_bytes) : content()),
        both(5, {&source}, {{&target, blank}}, lookup) {
    both.know({&*known});
    both.listen([this](bool, const raw_record& record) {
      ++seen[record.type];
      const auto states =
          record.type == record_type::extent_states
              ? decode_extent_states(record.body)
              : result<extent_states_record>(extent_states_record());
      REQUIRE(states);
      for (const auto& entry : states->entries) {
        mismatches += entry.state == extent_state::mismatch ? 1U : 0U;
      }
    });
  }
  void know_now() {
    known.emplace(source.content());
    both.know({&*known});
  }
  /// The target lacks a block: it holds something else.
  void lack(std::uint64_t extent, std::size_t index) {
    std::ranges::fill(block(target, extent, index), std::byte{0xee});
  }
  /// The guest writes a block; the tracker marks it.
  void write(std::uint64_t extent, std::size_t index) {
    const auto bytes = block(source, extent, index);
    std::ranges::fill(bytes, std::byte{0x77});
    dirty.mark(extent * extent_bytes + index * block_bytes, bytes.size());
  }
  void bulk() {
    REQUIRE(both.bulk());
    REQUIRE(both.broken() == "");
    CHECK(counts().read_in_bulk == source.bytes());
  }
  void round() {
    source.reads.clear();
    std::vector<dirty_map> all;
    all.push_back(std::exchange(dirty, dirty_map(disk_bytes, block_bytes)));
    REQUIRE(both.round(std::move(all)));
    REQUIRE(both.broken() == "");
    CHECK(counts().read_in_rounds == source.bytes());
  }
  [[nodiscard]] bool same() const {
    return both.receiver().all_proven() && source.content() == target.content();
  }
  [[nodiscard]] const source_counts& counts() const {
    return both.sender().counts();
  }

  counting_device source{content()};
  memory_device target;
  std::optional<snapshot_content> known{std::in_place, content()};
  fake_lookup lookup;
  dirty_map dirty{disk_bytes, block_bytes};
  std::map<record_type, unsigned> seen;
  unsigned mismatches = 0;
  duet both;
};

}  // namespace

TEST_CASE("a known disk that the destination has is not read at all",
          "[migrate]") {
  bench test;
  test.bulk();
  CHECK(test.source.reads.empty());
  CHECK(test.counts().known == disk_bytes);
  CHECK(test.seen[record_type::extents] == 1);
  CHECK(test.seen[record_type::block_digests] == 0);
  CHECK(test.same());
}

TEST_CASE("of a known disk the wanted blocks alone are read, run by run",
          "[migrate]") {
  bench test;
  for (const std::size_t index : {3U, 4U, 5U, 200U, 255U}) {
    test.lack(1, index);
  }
  test.bulk();
  CHECK(test.source.reads ==
        reads{{extent_bytes + 3 * block_bytes, 3 * block_bytes},
              {extent_bytes + 200 * block_bytes, block_bytes},
              {extent_bytes + 255 * block_bytes, block_bytes}});
  CHECK(test.both.receiver().bulk().link == 5 * block_bytes);
  CHECK(test.both.sender().bytes_wanted() == 5 * block_bytes);
  CHECK(test.mismatches == 0);
  CHECK(test.same());
}

TEST_CASE("a known disk that the destination lacks is read once", "[migrate]") {
  bench test(true);
  test.bulk();
  CHECK(test.source.bytes() == disk_bytes - extent_bytes);
  CHECK(test.source.reads.size() == 3);
  CHECK(test.both.receiver().bulk().link == disk_bytes - extent_bytes);
  CHECK(test.both.receiver().bulk().zero == extent_bytes);
  CHECK(test.same());
}

TEST_CASE("the short end of a known disk is read as long as it is",
          "[migrate]") {
  bench test;
  test.lack(3, 0);
  test.lack(3, 2);
  test.bulk();
  CHECK(test.source.reads == reads{{3 * extent_bytes, block_bytes},
                                   {3 * extent_bytes + 2 * block_bytes, 1024}});
  CHECK(test.same());
}

TEST_CASE("known zeros are zeroed at the destination and not read",
          "[migrate]") {
  bench test;
  test.lack(2, 7);
  test.bulk();
  CHECK(test.source.reads.empty());
  CHECK(test.both.receiver().bulk().zero == extent_bytes);
  CHECK(test.same());
}

TEST_CASE("zero blocks of a known extent are not wanted", "[migrate]") {
  bench test;
  std::ranges::fill(block(test.source, 0, 9), std::byte{0});
  test.know_now();
  test.lack(0, 9);
  test.bulk();
  CHECK(test.seen[record_type::block_digests] == 1);
  CHECK(test.source.reads.empty());
  CHECK(test.same());
}

TEST_CASE("what is not known is read, and nothing else", "[migrate]") {
  bench test;
  test.known->forget(1);
  test.known->forget(3);
  test.bulk();
  CHECK(test.source.reads ==
        reads{{extent_bytes, extent_bytes}, {3 * extent_bytes, tail_bytes}});
  CHECK(test.counts().known == disk_bytes - extent_bytes - tail_bytes);
  CHECK(test.seen[record_type::extents] == 1);
  CHECK(test.same());
}

TEST_CASE("an extent that was read is not read again for its blocks",
          "[migrate]") {
  bench test;
  test.known->forget(1);
  test.lack(1, 3);
  test.bulk();
  CHECK(test.source.reads == reads{{extent_bytes, extent_bytes}});
  CHECK(test.same());
}

TEST_CASE("a wanted block that was written since brings the whole extent",
          "[migrate]") {
  bench test;
  test.lack(0, 8);
  test.write(0, 8);
  test.bulk();
  CHECK(test.mismatches == 1);
  CHECK(test.source.reads ==
        reads{{8 * block_bytes, block_bytes}, {0, extent_bytes}});
  CHECK(test.both.receiver().bulk().mismatches == 1);
  CHECK(test.both.receiver().bulk().link == extent_bytes);
  CHECK(test.same());
  // The mark is still there, and its round changes nothing.
  test.round();
  CHECK(test.mismatches == 1);
  CHECK(test.same());
}

TEST_CASE("a wanted block of the short end that was written since",
          "[migrate]") {
  bench test;
  test.lack(3, 2);
  test.write(3, 2);
  test.bulk();
  CHECK(test.mismatches == 1);
  CHECK(test.source.reads.back() ==
        std::pair(3 * extent_bytes, std::size_t{tail_bytes}));
  CHECK(test.same());
}

TEST_CASE("a wanted extent that was written over with zeros since",
          "[migrate]") {
  bench test(true);
  std::ranges::fill(std::span(test.source.content()).first(extent_bytes),
                    std::byte{0});
  test.bulk();
  CHECK(test.mismatches == 1);
  CHECK(test.same());
}

TEST_CASE("a block that was written since and is not wanted comes in a round",
          "[migrate]") {
  bench test;
  test.lack(0, 8);
  test.write(0, 30);
  test.write(2, 0);
  test.bulk();
  CHECK(test.mismatches == 0);
  CHECK(test.source.reads == reads{{8 * block_bytes, block_bytes}});
  CHECK(test.both.receiver().all_proven());
  CHECK_FALSE(test.same());
  test.round();
  CHECK(test.mismatches == 0);
  CHECK(test.both.receiver().rounds().link == 2 * block_bytes);
  CHECK(test.same());
}

TEST_CASE("a block that changed unmarked is found by its extent's next round",
          "[migrate]") {
  bench test;
  std::ranges::fill(block(test.source, 0, 40), std::byte{0x55});
  test.write(0, 30);
  test.bulk();
  test.round();
  CHECK(test.mismatches == 1);
  CHECK(test.same());
}

TEST_CASE("a wanted block that cannot be read fails, and proves nothing",
          "[migrate]") {
  const byte_buffer before(disk_bytes, std::byte{0xee});
  for (unsigned fails_at = 0; fails_at < 4; ++fails_at) {
    CAPTURE(fails_at);
    memory_device disk{content()};
    snapshot_content known{content()};
    disk.content()[0] = std::byte{99};  // brings the whole: a fourth read
    faulty_device source(disk, fails_at);
    memory_device target{before};
    fake_lookup lookup;
    duet both(1, {&source}, {{&target, false}}, lookup);
    both.know({&known});
    CHECK_FALSE(both.bulk());
    CHECK(source.has_failed());
    CHECK(both.broken() == "");
    CHECK_FALSE(both.receiver().all_proven());
  }
}

TEST_CASE("what does not fit an extent is not known", "[migrate]") {
  const extent_place last{0, 3};
  known_extent known;
  known.blocks.resize(3);
  CHECK(recall(disk_bytes, last, known));
  CHECK_FALSE(recall(disk_bytes, {0, 0}, known));
  known.zero_blocks.set(1);
  CHECK_FALSE(recall(disk_bytes, last, known));
  known.blocks.resize(2);
  CHECK(recall(disk_bytes, last, known));
  known.zero_blocks = {};
  known.zero_blocks.set(3);
  CHECK_FALSE(recall(disk_bytes, last, known));
}

TEST_CASE("known extents hold no bytes at the source", "[migrate]") {
  memory_device source{content()};
  snapshot_content known{content()};
  block_packer packer;
  const auto done = do_sender_job(
      announce_job{{0, 0, 4}}, {{&source, nullptr, &known}}, packer);
  REQUIRE(done);
  REQUIRE(done->captured.size() == 4);
  CHECK(std::ranges::all_of(done->captured, [](const shared_extent& extent) {
    return extent->bytes.empty();
  }));
}

TEST_CASE("what is sent whole and mismatches again is refused", "[migrate]") {
  memory_device source{content()};
  snapshot_content known{content()};
  block_packer packer;
  disk_sender sender({source.size()});
  std::vector<raw_record> records;
  const auto work = [&] {
    while (auto action = sender.next()) {
      if (auto* job = std::get_if<sender_job>(&*action)) {
        auto done = do_sender_job(*job, {{&source, nullptr, &known}}, packer);
        REQUIRE(done);
        sender.on_job_done(std::move(*done));
      } else {
        records.push_back(std::get<raw_record>(std::move(*action)));
      }
    }
  };
  const auto say = [&](extent_state state) {
    extent_states_record states;
    states.entries = {{{0, 0}, state}};
    return sender.on_record({record_type::extent_states, encode(states)});
  };
  sender.start_bulk();
  work();
  REQUIRE(say(extent_state::wants_digests));
  work();
  REQUIRE(
      sender.on_record({record_type::wanted,
                        encode(wanted_record{{0, 0}, block_mask::first(2)})}));
  const byte_buffer announced = source.content();
  source.content()[0] = std::byte{99};
  work();
  REQUIRE(say(extent_state::mismatch));
  work();
  REQUIRE(records.size() == 4);
  const auto part = decode_extent_data(records[2].body);
  const auto whole = decode_extent_data(records[3].body);
  REQUIRE(part);
  REQUIRE(whole);
  CHECK(part->digest ==
        digest_extent(byte_span(announced).first(extent_bytes)));
  CHECK(part->raw_bytes == 2 * block_bytes);
  CHECK(whole->digest ==
        digest_extent(byte_span(source.content()).first(extent_bytes)));
  CHECK(whole->raw_bytes == extent_bytes);
  const auto again = say(extent_state::mismatch);
  REQUIRE_FALSE(again);
  CHECK(again.error().code == errc::protocol);
}

}  // namespace teleport
