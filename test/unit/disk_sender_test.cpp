// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/disk_sender_test.cpp: a hostile destination. Answers that answer
// nothing are refused, and nobody is sent the same for ever.

#include "libteleport/migrate/disk_sender.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "test/support/catch.hpp"
#include "test/support/memory_device.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

namespace {

raw_record state_of(const extent_place& place, extent_state state) {
  extent_states_record record;
  record.entries = {{place, state}};
  return {record_type::extent_states, encode(record)};
}

raw_record wanted_of(const extent_place& place, std::size_t blocks) {
  return {record_type::wanted,
          encode(wanted_record{place, block_mask::first(blocks)})};
}

/// Does all jobs, also those that `on_record` gives rise to by answering what
/// is sent; gives the records back.
std::vector<raw_record> all_jobs(
    disk_sender& sender,
    memory_device& source,
    block_packer& packer,
    const std::function<void(const raw_record&)>& on_record = {}) {
  std::vector<raw_record> records;
  while (auto action = sender.next()) {
    if (auto* job = std::get_if<sender_job>(&*action)) {
      auto done = do_sender_job(*job, {{&source}}, packer);
      REQUIRE(done);
      sender.on_job_done(std::move(*done));
      continue;
    }
    records.push_back(std::get<raw_record>(std::move(*action)));
    if (on_record) {
      on_record(records.back());
    }
  }
  return records;
}

/// A sender of one disk: an extent of noise, one of zeros, and a short one.
struct bench {
  bench() : source(byte_buffer(2 * extent_bytes + 1024)) {
    std::ranges::fill(std::span(source.content()).first(extent_bytes),
                      std::byte{3});
    source.content()[2 * extent_bytes] = std::byte{4};
  }
  /// Does all jobs; gives the records back.
  std::vector<raw_record> work() { return all_jobs(sender, source, packer); }
  void finish() {
    for (std::uint64_t i = 0; i < 3; ++i) {
      REQUIRE(sender.on_record(state_of({0, i}, extent_state::proven)));
    }
  }

  memory_device source;
  disk_sender sender{{source.size()}};
  block_packer packer;
};

void check_refused(const result<void>& outcome) {
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == errc::protocol);
}

}  // namespace

TEST_CASE("the bulk announces all and ends when all is proven", "[migrate]") {
  bench test;
  CHECK(test.sender.idle());
  test.sender.start_bulk();
  CHECK_FALSE(test.sender.idle());
  const auto records = test.work();
  REQUIRE(records.size() == 1);
  const auto extents = decode_extents(records[0].body);
  REQUIRE(extents);
  REQUIRE(extents->digests.size() == 3);
  CHECK(extents->digests[0]);
  CHECK_FALSE(extents->digests[1]);
  CHECK(extents->digests[2]);
  test.finish();
  CHECK(test.sender.idle());
  CHECK(sum_of(test.sender.pass()).done == test.source.size());
  CHECK(sum_of(test.sender.pass()).total == test.source.size());
}

TEST_CASE("a pass is counted for each disk", "[migrate]") {
  memory_device source{byte_buffer(extent_bytes)};
  disk_sender sender({extent_bytes, 2 * extent_bytes});
  sender.start_bulk();
  block_packer packer;
  while (auto action = sender.next()) {
    if (auto* job = std::get_if<sender_job>(&*action)) {
      memory_device second{byte_buffer(2 * extent_bytes)};
      auto done = do_sender_job(*job, {{&source}, {&second}}, packer);
      REQUIRE(done);
      sender.on_job_done(std::move(*done));
    }
  }
  REQUIRE(sender.on_record(state_of({1, 1}, extent_state::proven)));
  REQUIRE(sender.pass().size() == 2);
  CHECK(sender.pass()[0].done == 0);
  CHECK(sender.pass()[0].total == extent_bytes);
  CHECK(sender.pass()[1].done == extent_bytes);
  CHECK(sender.pass()[1].total == 2 * extent_bytes);
  for (const extent_place place : {extent_place{0, 0}, extent_place{1, 0}}) {
    REQUIRE(sender.on_record(state_of(place, extent_state::proven)));
  }
  REQUIRE(sender.idle());
  std::vector<dirty_map> dirty;
  dirty.emplace_back(extent_bytes, block_bytes);
  dirty.emplace_back(2 * extent_bytes, block_bytes);
  dirty[1].mark(extent_bytes, 1);
  sender.start_round(std::move(dirty));
  CHECK(sender.pass()[0].total == 0);
  CHECK(sender.pass()[1].total == extent_bytes);
}

TEST_CASE("answers before anything was sent are refused", "[migrate]") {
  bench test;
  for (const auto state : {extent_state::proven,
                           extent_state::wants_digests,
                           extent_state::mismatch}) {
    check_refused(test.sender.on_record(state_of({0, 0}, state)));
  }
  check_refused(test.sender.on_record(wanted_of({0, 0}, 1)));
}

TEST_CASE("answers about unknown places are refused", "[migrate]") {
  bench test;
  test.sender.start_bulk();
  (void)test.work();
  for (const extent_place place : {extent_place{0, 3}, {1, 0}, {63, 9}}) {
    check_refused(test.sender.on_record(state_of(place, extent_state::proven)));
    check_refused(test.sender.on_record(wanted_of(place, 1)));
  }
}

TEST_CASE("the same answer twice is refused", "[migrate]") {
  bench test;
  test.sender.start_bulk();
  (void)test.work();
  const auto digests = state_of({0, 0}, extent_state::wants_digests);
  REQUIRE(test.sender.on_record(digests));
  check_refused(test.sender.on_record(digests));
  (void)test.work();
  const auto wanted = wanted_of({0, 0}, 2);
  REQUIRE(test.sender.on_record(wanted));
  check_refused(test.sender.on_record(wanted));
  check_refused(test.sender.on_record(digests));
  (void)test.work();
  const auto mismatch = state_of({0, 0}, extent_state::mismatch);
  REQUIRE(test.sender.on_record(mismatch));
  check_refused(test.sender.on_record(mismatch));
  check_refused(test.sender.on_record(wanted));
  (void)test.work();
  const auto proven = state_of({0, 0}, extent_state::proven);
  REQUIRE(test.sender.on_record(proven));
  check_refused(test.sender.on_record(proven));
}

TEST_CASE("data is wanted after digests and of some block", "[migrate]") {
  bench test;
  test.sender.start_bulk();
  (void)test.work();
  check_refused(test.sender.on_record(wanted_of({0, 0}, 1)));
  check_refused(
      test.sender.on_record(state_of({0, 0}, extent_state::mismatch)));
  check_refused(
      test.sender.on_record(state_of({0, 1}, extent_state::wants_digests)));
  REQUIRE(test.sender.on_record(state_of({0, 0}, extent_state::wants_digests)));
  check_refused(test.sender.on_record(wanted_of({0, 0}, 0)));
}

TEST_CASE("blocks past the end of a short extent are not sent", "[migrate]") {
  bench test;
  test.sender.start_bulk();
  (void)test.work();
  REQUIRE(test.sender.on_record(state_of({0, 2}, extent_state::wants_digests)));
  REQUIRE(test.work().size() == 1);
  REQUIRE(test.sender.on_record(wanted_of({0, 2}, extent_blocks)));
  const auto records = test.work();
  REQUIRE(records.size() == 1);
  const auto data = decode_extent_data(records[0].body);
  REQUIRE(data);
  CHECK(data->raw_bytes == 1024);
  CHECK(data->data == block_mask::first(1));
}

TEST_CASE("the sender refuses other types even with a good body", "[migrate]") {
  bench test;
  test.sender.start_bulk();
  (void)test.work();
  REQUIRE(test.sender.on_record(state_of({0, 0}, extent_state::wants_digests)));
  const byte_buffer body = wanted_of({0, 0}, 1).body;
  for (std::uint16_t type = 1; type <= 20; ++type) {
    const auto kind = static_cast<record_type>(type);
    if (kind != record_type::wanted) {
      check_refused(test.sender.on_record({kind, body}));
    }
  }
}

TEST_CASE("a round sends what is marked, coarse marks and the end included",
          "[migrate]") {
  bench test;
  test.sender.start_bulk();
  (void)test.work();
  test.finish();
  dirty_map dirty(test.source.size(), 16 * block_bytes);
  dirty.mark(5 * block_bytes, 1);
  dirty.mark(2 * extent_bytes + 512, 512);
  std::vector<dirty_map> all;
  all.push_back(std::move(dirty));
  test.sender.start_round(std::move(all));
  CHECK(sum_of(test.sender.pass()).total == extent_bytes + 1024);
  const auto records = test.work();
  REQUIRE(records.size() == 2);
  const auto first = decode_extent_data(records[0].body);
  const auto second = decode_extent_data(records[1].body);
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->data == block_mask::first(16));
  CHECK(second->data == block_mask::first(1));
  CHECK(second->raw_bytes == 1024);
  CHECK_FALSE(test.sender.idle());
  REQUIRE(test.sender.on_record(state_of({0, 0}, extent_state::proven)));
  REQUIRE(test.sender.on_record(state_of({0, 2}, extent_state::proven)));
  CHECK(test.sender.idle());
  CHECK(sum_of(test.sender.pass()).done == sum_of(test.sender.pass()).total);
}

namespace {

/// Says that block 5 of every extent has been written since the take.
class block_five_written : public write_tracker {
 public:
  result<dirty_map> take() override { return dirty_map(); }
  [[nodiscard]] block_mask written_since(
      std::uint64_t /*extent*/) const override {
    block_mask blocks;
    blocks.set(5);
    return blocks;
  }
  result<bool> idle() override { return true; }
  result<void> audit() override { return {}; }
};

}  // namespace

TEST_CASE("a round brings what was written between the take and the reading",
          "[migrate]") {
  memory_device source{byte_buffer(extent_bytes, std::byte{3})};
  const block_five_written tracker;
  round_job job;
  job.blocks.set(1);
  block_packer packer;
  const auto done = do_sender_job(job, {{&source, &tracker}}, packer);
  REQUIRE(done);
  REQUIRE(done->data);
  CHECK(done->data->head.data.count() == 2);
  CHECK(done->data->head.data.test(1));
  CHECK(done->data->head.data.test(5));
}

TEST_CASE("blocks written since an extent was announced go along with its gaps",
          "[migrate]") {
  memory_device source{byte_buffer(extent_bytes, std::byte{3})};
  const block_five_written tracker;
  auto announced = capture(source, {0, 0});
  REQUIRE(announced);
  forget_bytes(*announced);
  std::ranges::fill(
      std::span(source.content()).subspan(5 * block_bytes, block_bytes),
      std::byte{7});
  answer_job job;
  job.extent = std::make_shared<const captured_extent>(std::move(*announced));
  job.blocks.emplace().set(1);
  block_packer packer;
  const auto done = do_sender_job(job, {{&source, &tracker}}, packer);
  REQUIRE(done);
  REQUIRE(done->data);
  CHECK(done->data->head.data.count() == 2);
  CHECK(done->data->head.data.test(5));
  CHECK(done->data->head.digest == digest_extent(source.content()));
}

TEST_CASE("the source announces up to the limit, and keeps few extents' bytes",
          "[migrate]") {
  disk_sender sender({3 * max_outstanding * extent_bytes});
  sender.start_bulk();
  std::size_t announced = 0;
  std::size_t kept = 0;
  while (auto action = sender.next()) {
    const auto job = std::get<announce_job>(std::get<sender_job>(*action));
    announced += job.run.count;
    kept += job.keep_bytes ? job.run.count : 0;
  }
  CHECK(announced == max_outstanding);
  CHECK(kept == 64);
}

namespace {

/// Announces a disk of so many extents, each of which wants digests at once.
std::vector<raw_record> all_want_digests(disk_sender& sender,
                                         memory_device& source,
                                         block_packer& packer) {
  return all_jobs(sender, source, packer, [&](const raw_record& record) {
    if (record.type != record_type::extents) {
      return;
    }
    const auto extents = decode_extents(record.body);
    REQUIRE(extents);
    for (std::size_t i = 0; i < extents->digests.size(); ++i) {
      REQUIRE(sender.on_record(
          state_of({0, extents->first + i}, extent_state::wants_digests)));
    }
  });
}

}  // namespace

TEST_CASE("the source takes no more data than allowed, and all in the end",
          "[migrate]") {
  constexpr std::uint64_t extents = 130;
  constexpr std::uint64_t most = max_data_bytes / extent_bytes;
  static_assert(extents > most);
  memory_device source(byte_buffer(extents * extent_bytes, std::byte{1}));
  disk_sender sender({source.size()});
  block_packer packer;
  sender.start_bulk();
  const auto offered = all_want_digests(sender, source, packer);
  CHECK(std::ranges::count(
            offered, record_type::block_digests, &raw_record::type) == extents);
  for (std::uint64_t i = 0; i < extents; ++i) {
    REQUIRE(sender.on_record(wanted_of({0, i}, extent_blocks)));
  }
  const auto sent = all_want_digests(sender, source, packer);
  REQUIRE(sent.size() == most);
  for (const raw_record& record : sent) {
    const auto data = decode_extent_data(record.body);
    REQUIRE(data);
    REQUIRE(sender.on_record(state_of(data->place, extent_state::proven)));
  }
  CHECK(all_want_digests(sender, source, packer).size() == extents - most);
}

TEST_CASE("few wanted blocks of many extents do not wait for each other",
          "[migrate]") {
  constexpr std::uint64_t extents = 400;
  memory_device source(byte_buffer(extents * extent_bytes, std::byte{1}));
  disk_sender sender({source.size()});
  block_packer packer;
  sender.start_bulk();
  (void)all_want_digests(sender, source, packer);
  for (std::uint64_t i = 0; i < extents; ++i) {
    REQUIRE(sender.on_record(wanted_of({0, i}, 1)));
  }
  CHECK(all_want_digests(sender, source, packer).size() == extents);
}

TEST_CASE("an extent that waits for its answer cannot be proven", "[migrate]") {
  bench test;
  test.sender.start_bulk();
  (void)test.work();
  REQUIRE(test.sender.on_record(state_of({0, 0}, extent_state::wants_digests)));
  check_refused(test.sender.on_record(state_of({0, 0}, extent_state::proven)));
}

TEST_CASE("no more is packed while the link is full", "[migrate]") {
  bench test;
  test.sender.start_bulk();
  (void)test.work();
  REQUIRE(test.sender.on_record(state_of({0, 0}, extent_state::wants_digests)));
  (void)test.work();
  wanted_record wanted;
  wanted.blocks = block_mask::first(extent_blocks);
  REQUIRE(test.sender.on_record({record_type::wanted, encode(wanted)}));
  CHECK_FALSE(test.sender.next(8_MiB));
  const auto records = test.work();
  REQUIRE(records.size() == 1);
  CHECK(records[0].type == record_type::extent_data);
}

}  // namespace teleport
