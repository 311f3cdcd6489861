// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/receiver_bench.hpp: a disk_receiver with a disk in memory, and
// the records of a source whose disk is known.

#ifndef TELEPORT_TEST_SUPPORT_RECEIVER_BENCH_HPP
#define TELEPORT_TEST_SUPPORT_RECEIVER_BENCH_HPP

#include <cstdint>
#include <utility>
#include <vector>

#include "libteleport/migrate/capture.hpp"
#include "libteleport/migrate/disk_receiver.hpp"
#include "test/support/catch.hpp"
#include "test/support/fake_lookup.hpp"
#include "test/support/memory_device.hpp"
#include "test/support/print_error.hpp"

namespace teleport {

/// Where an extent stands when the record under test comes.
enum class stand {
  unknown,
  examining,
  wants_digests,
  assembling,
  wants_data,
  filling,
  proven,
  overlaying,
};
constexpr int stands = static_cast<int>(stand::overlaying) + 1;

/// EXTENT_DATA that is not compressed.
inline raw_record plain_data(const captured_extent& extent,
                             const block_mask& blocks) {
  block_data data = data_of(extent, blocks);
  data.head.payload = std::move(data.raw);
  return {record_type::extent_data, encode(data.head)};
}

/// A receiver with one disk of two extents, the second one short, and the
/// source's side made by hand.
struct receiver_bench {
  receiver_bench()
      : source(byte_buffer(extent_bytes + 3 * block_bytes - 512, std::byte{1})),
        target(byte_buffer(source.size(), std::byte{9})),
        targets{{&target, false}},
        receiver({source.size()}, probe_of(1)) {
    for (std::size_t at = 0; at < source.size(); at += block_bytes) {
      source.content()[at] = static_cast<std::byte>(at / block_bytes);
    }
  }

  captured_extent read(std::uint64_t extent) {
    auto captured = capture(source, {0, extent});
    REQUIRE(captured);
    return std::move(*captured);
  }
  raw_record announcement(std::uint64_t extent) {
    extents_record record;
    record.first = extent;
    record.digests = {read(extent).digest};
    return {record_type::extents, encode(record)};
  }
  raw_record digests(std::uint64_t extent) {
    return {record_type::block_digests, encode(digests_of(read(extent)))};
  }
  raw_record data(std::uint64_t extent, const block_mask& blocks) {
    return plain_data(read(extent), blocks);
  }
  raw_record data(std::uint64_t extent) {
    return data(extent, block_mask::first(extent_blocks));
  }

  void give(const raw_record& record) { REQUIRE(receiver.on_record(record)); }
  /// Runs the waiting job; what is sent stays unread.
  result<void> work() {
    while (auto action = receiver.next()) {
      if (auto* job = std::get_if<receiver_job>(&*action)) {
        auto done = do_receiver_job(std::move(*job), targets, lookup, unpacker);
        if (!done) {
          return done.error();
        }
        receiver.on_job_done(std::move(*done));
      }
    }
    return {};
  }
  void bring(std::uint64_t extent, stand where) {
    const auto step = [&](stand least, const raw_record& record) {
      if (where >= least) {
        REQUIRE(work());
        give(record);
      }
    };
    step(stand::examining, announcement(extent));
    step(stand::assembling, digests(extent));
    step(stand::filling, data(extent));
    if (where >= stand::proven) {
      REQUIRE(work());
    }
    step(stand::overlaying, data(extent));
    if (where == stand::wants_digests || where == stand::wants_data) {
      REQUIRE(work());
    }
  }

  memory_device source;
  memory_device target;
  std::vector<target_disk> targets;
  fake_lookup lookup;
  block_unpacker unpacker;
  disk_receiver receiver;
};

}  // namespace teleport

#endif  // TELEPORT_TEST_SUPPORT_RECEIVER_BENCH_HPP
