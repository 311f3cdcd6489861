// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/disk_receiver_test.cpp: a hostile source. Whatever comes in
// whatever state, the receiver answers errc::protocol and the target keeps what
// it has.

#include "libteleport/migrate/disk_receiver.hpp"

#include <string>
#include <utility>

#include "test/support/catch.hpp"
#include "test/support/receiver_bench.hpp"

namespace teleport {

namespace {

void check_refused(const result<void>& outcome) {
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == errc::protocol);
}

}  // namespace

TEST_CASE("each record is taken in its state and refused in all others",
          "[migrate]") {
  for (int i = 0; i < stands; ++i) {
    for (const std::uint64_t extent : {0U, 1U}) {
      CAPTURE(i, extent);
      const auto where = static_cast<stand>(i);
      const auto taken = [&](auto make) {
        receiver_bench test;
        test.bring(extent, where);
        const byte_buffer before = test.target.content();
        const auto outcome = test.receiver.on_record(make(test));
        if (!outcome) {
          CHECK(outcome.error().code == errc::protocol);
          CHECK(test.target.content() == before);
        }
        return outcome.has_value();
      };
      CHECK(taken([&](receiver_bench& b) { return b.announcement(extent); }) ==
            (where == stand::unknown));
      CHECK(taken([&](receiver_bench& b) { return b.digests(extent); }) ==
            (where == stand::wants_digests));
      CHECK(taken([&](receiver_bench& b) { return b.data(extent); }) ==
            (where == stand::wants_data || where == stand::proven));
    }
  }
}

TEST_CASE("the receiver refuses other types even with a good body",
          "[migrate]") {
  receiver_bench test;
  test.bring(0, stand::wants_data);
  for (std::uint16_t type = 1; type <= 20; ++type) {
    const auto kind = static_cast<record_type>(type);
    if (kind != record_type::extents && kind != record_type::block_digests &&
        kind != record_type::extent_data) {
      check_refused(test.receiver.on_record({kind, test.data(0).body}));
    }
  }
}

TEST_CASE("places outside of the disks are refused", "[migrate]") {
  receiver_bench test;
  test.bring(0, stand::proven);
  extents_record past;
  past.first = 1;
  past.digests.resize(2);  // the second one is past the end
  check_refused(test.receiver.on_record({record_type::extents, encode(past)}));
  for (const extent_place place : {extent_place{0, 2},
                                   {1, 0},
                                   {63, 0},
                                   {0, max_disk_bytes / extent_bytes - 1}}) {
    receiver_bench fresh;
    extents_record record{place.disk, place.extent, {std::nullopt}};
    check_refused(
        fresh.receiver.on_record({record_type::extents, encode(record)}));
    block_digests_record digests;
    digests.place = place;
    check_refused(fresh.receiver.on_record(
        {record_type::block_digests, encode(digests)}));
    extent_data_record data;
    data.place = place;
    check_refused(
        fresh.receiver.on_record({record_type::extent_data, encode(data)}));
  }
}

TEST_CASE("more extents than allowed are refused", "[migrate]") {
  constexpr std::uint64_t many = 2 * max_outstanding;
  disk_receiver receiver({many * extent_bytes}, probe_of(1));
  const auto announce = [&](std::uint64_t first, std::size_t count) {
    extents_record record;
    record.first = first;
    record.digests.resize(count);
    return receiver.on_record({record_type::extents, encode(record)});
  };
  for (std::uint64_t at = 64; at < max_outstanding; at += 64) {
    CHECK(announce(at, 64));
  }
  CHECK(announce(0, 63));
  check_refused(announce(max_outstanding, 2));
  CHECK(announce(63, 1));
  check_refused(announce(max_outstanding, 1));
}

TEST_CASE("more rounds' data than allowed is refused", "[migrate]") {
  constexpr std::uint64_t most = max_data_bytes / extent_bytes;
  constexpr std::uint64_t many = 2 * max_announced;
  static_assert(many > most);
  memory_device target(byte_buffer(many * extent_bytes));
  fake_lookup lookup;
  disk_receiver receiver({target.size()}, probe_of(1));
  for (std::uint64_t at = 0; at < many; at += max_announced) {
    extents_record record;
    record.first = at;
    record.digests.resize(max_announced);
    REQUIRE(receiver.on_record({record_type::extents, encode(record)}));
    auto action = receiver.next();
    REQUIRE(action);
    block_unpacker unpacker;
    auto done = do_receiver_job(std::get<receiver_job>(std::move(*action)),
                                {{&target, true}},
                                lookup,
                                unpacker);
    REQUIRE(done);
    receiver.on_job_done(std::move(*done));
    (void)receiver.next();
  }
  REQUIRE(receiver.all_proven());
  for (std::uint64_t i = 0; i <= most; ++i) {
    extent_data_record data;
    data.place = {0, i};
    data.data = block_mask::first(extent_blocks);
    data.raw_bytes = extent_bytes;
    data.payload = byte_buffer(extent_bytes);
    const auto taken =
        receiver.on_record({record_type::extent_data, encode(data)});
    CHECK(taken.has_value() == (i < most));
    CHECK_FALSE(receiver.all_proven());
  }
}

TEST_CASE("digests of another number of blocks end the teleport", "[migrate]") {
  for (const std::size_t count : {0U, 1U, 2U, 4U}) {
    receiver_bench test;
    test.bring(1, stand::wants_digests);  // an extent of three blocks
    block_digests_record record;
    record.place = {0, 1};
    record.digests.resize(count);
    test.give({record_type::block_digests, encode(record)});
    check_refused(test.work());
    CHECK(test.target.changes() == 0);
  }
  receiver_bench test;
  test.bring(1, stand::wants_digests);
  block_digests_record record;
  record.place = {0, 1};
  record.digests.resize(2);
  record.zero.set(3);  // past the end
  test.give({record_type::block_digests, encode(record)});
  check_refused(test.work());
}

TEST_CASE("data that leaves out what was wanted ends the teleport",
          "[migrate]") {
  receiver_bench test;
  test.bring(1, stand::wants_data);
  test.give(test.data(1, block_mask::first(2)));
  check_refused(test.work());
  CHECK(test.target.changes() == 0);
}

TEST_CASE("data past the end of a short extent ends the teleport",
          "[migrate]") {
  for (const stand where : {stand::wants_data, stand::proven}) {
    receiver_bench test;
    test.bring(1, where);
    const byte_buffer before = test.target.content();
    extent_data_record record;
    record.place = {0, 1};
    record.zero = block_mask::first(4);
    test.give({record_type::extent_data, encode(record)});
    check_refused(test.work());
    CHECK(test.target.content() == before);
  }
}

TEST_CASE(
    "data that is not what its digest says is asked for once more, and "
    "never again",
    "[migrate]") {
  for (const stand where : {stand::wants_data, stand::proven}) {
    receiver_bench test;
    test.bring(0, where);
    const byte_buffer before = test.target.content();
    const auto lie = [&] {
      captured_extent extent = test.read(0);
      extent.digest[0] ^= std::byte{1};
      return plain_data(extent, block_mask::first(extent_blocks));
    };
    test.give(lie());
    REQUIRE(test.work());
    CHECK_FALSE(test.receiver.all_proven());
    CHECK_FALSE(test.receiver.idle());
    test.give(lie());
    check_refused(test.work());
    CHECK(test.target.content() == before);
  }
}

TEST_CASE("a round's extent is not proven before it is again", "[migrate]") {
  receiver_bench test;
  test.bring(0, stand::proven);
  test.bring(1, stand::proven);
  REQUIRE(test.receiver.all_proven());
  test.source.content()[5] = std::byte{77};
  test.give(test.data(0, block_mask::first(1)));
  CHECK_FALSE(test.receiver.all_proven());
  REQUIRE(test.work());
  CHECK(test.receiver.all_proven());
  CHECK(test.target.content() == test.source.content());
  CHECK(test.receiver.rounds().link == block_bytes);
}

namespace {

/// Digests of which the first `untrue` are of nothing that the source has.
raw_record guesses(receiver_bench& test,
                   std::uint64_t extent,
                   std::size_t untrue) {
  auto record = digests_of(test.read(extent));
  for (std::size_t i = 0; i < untrue; ++i) {
    record.digests.at(i) += 1;
  }
  return {record_type::block_digests, encode(record)};
}

void announce(receiver_bench& test, std::uint64_t extent, std::size_t untrue) {
  test.give(test.announcement(extent));
  REQUIRE(test.work());
  test.give(guesses(test, extent, untrue));
  REQUIRE(test.work());
}

}  // namespace

TEST_CASE("digests of what is not brought are counted", "[migrate]") {
  receiver_bench test;
  const auto& account = test.receiver.digests();
  announce(test, 0, 10);
  CHECK(account.named() == 256);
  CHECK(account.untrue() == 0);
  test.give(test.data(0));
  REQUIRE(test.work());
  CHECK(account.untrue() == 10);
  announce(test, 1, 0);
  test.give(test.data(1));
  REQUIRE(test.work());
  CHECK(account.named() == 259);
  CHECK(account.untrue() == 10);
  CHECK(test.receiver.all_proven());
  CHECK(test.target.content() == test.source.content());
}

TEST_CASE("a source that names what it does not have is refused", "[migrate]") {
  receiver_bench test;
  test.receiver =
      disk_receiver({test.source.size()}, probe_of(1), digest_account(9));
  announce(test, 0, 10);
  test.give(test.data(0));
  REQUIRE(test.work());
  const auto refused = test.receiver.on_record(test.announcement(1));
  check_refused(refused);
  CHECK(refused.error().context.find("10 otherwise") != std::string::npos);
}

}  // namespace teleport
