// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/disk_mover_test.cpp: the source's disks are read before the targets
// are there, and nothing is said about them before.

#include "xl-teleport/source/disk_mover.hpp"

#include <fstream>
#include <string>
#include <vector>

#include "libteleport/wire/block_packer.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

/// A disk of two extents, and a mover whose destination is the test.
struct moved_image {
  moved_image()
      : path(folder.path() + "/disk"), loop(1), mover(loop, events()) {
    std::ofstream(path) << std::string(2 * extent_bytes, 'x');
    guest_disk disk;
    disk.vdev = "xvda";
    disk.device = path;
    disk.size = 2 * extent_bytes;
    disk.read_only = true;
    REQUIRE(mover.attach({disk}, {}, {}));
  }
  disk_mover::events events() {
    disk_mover::events all;
    all.send = [this](record_type type, byte_span body) {
      sent.push_back({type, byte_buffer(body.begin(), body.end())});
    };
    all.queued = [] { return std::size_t{0}; };
    all.on_blocks_sent = [this] { all_sent = true; };
    all.on_pass_done = [this] { done = true; };
    all.on_failed = [this](const error& cause) { failure = cause; };
    return all;
  }
  /// Runs the loop until all that was read has been taken.
  void run_to_rest() {
    while (!mover.at_rest()) {
      loop.context().run_one();
    }
  }
  raw_record all_proven() const {
    extent_states_record states;
    states.entries = {{{0, 0}, extent_state::proven},
                      {{0, 1}, extent_state::proven}};
    return {record_type::extent_states, encode(states)};
  }

  temp_folder folder;
  std::string path;
  event_loop loop;
  std::vector<raw_record> sent;
  bool all_sent = false;
  bool done = false;
  std::optional<error> failure;
  disk_mover mover;
};

}  // namespace

TEST_CASE("a disk is read before its target is there, and announced after",
          "[migrate]") {
  moved_image one;
  one.mover.start_bulk();
  one.run_to_rest();
  CHECK(one.mover.counts().read_in_bulk == 2 * extent_bytes);
  CHECK(one.sent.empty());
  one.mover.targets_ready();
  REQUIRE_FALSE(one.sent.empty());
  for (const raw_record& record : one.sent) {
    CHECK(record.type == record_type::extents);
  }
  CHECK_FALSE(one.done);
  REQUIRE(one.mover.on_record(one.all_proven()));
  CHECK(one.done);
  CHECK_FALSE(one.failure);
}

TEST_CASE("blocks are sent once none waits here, and proven later",
          "[migrate]") {
  moved_image one;
  one.mover.start_bulk();
  one.mover.targets_ready();
  CHECK_FALSE(one.all_sent);
  one.run_to_rest();
  CHECK(one.all_sent);
  CHECK_FALSE(one.done);
  REQUIRE(one.mover.on_record(one.all_proven()));
  CHECK(one.done);
}

TEST_CASE("targets that come first wait for nothing", "[migrate]") {
  moved_image one;
  one.mover.start_bulk();
  one.mover.targets_ready();
  CHECK_FALSE(one.done);
  one.run_to_rest();
  REQUIRE_FALSE(one.sent.empty());
  REQUIRE(one.mover.on_record(one.all_proven()));
  CHECK(one.done);
}

TEST_CASE("an answer to what was read and not announced is refused",
          "[migrate]") {
  moved_image one;
  one.mover.start_bulk();
  one.run_to_rest();
  const auto taken = one.mover.on_record(one.all_proven());
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == errc::protocol);
  CHECK_FALSE(one.done);
}

TEST_CASE("no disks are done when their targets are, and not before",
          "[migrate]") {
  bool done = false;
  event_loop loop(1);
  disk_mover::events events;
  events.on_pass_done = [&done] { done = true; };
  events.queued = [] { return std::size_t{0}; };
  disk_mover mover(loop, std::move(events));
  REQUIRE(mover.attach({}, {}, {}));
  mover.start_bulk();
  CHECK_FALSE(done);
  mover.targets_ready();
  CHECK(done);
}

}  // namespace teleport
