// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/audit_test.cpp: a tracker's audit says no when a write escaped it:
// programs are detached under it, and counts are changed.

#include <thread>

#include <unistd.h>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/disk/dirty_tracker.hpp"
#include "libteleport/disk/file_device.hpp"
#include "libteleport/disk/standing_tracker.hpp"
#include "libteleport/disk/tracker_balance.hpp"
#include "test/support/bpf_folder.hpp"
#include "test/support/bpf_links.hpp"
#include "test/support/catch.hpp"
#include "test/support/pinned_tracker.hpp"
#include "test/support/root_devices.hpp"
#include "test/support/storm.hpp"

namespace teleport {

namespace {

void write_block(const std::string& device, std::uint64_t offset) {
  auto disk = open_device(device, open_mode::read_write);
  REQUIRE(disk);
  aligned_buffer block(block_bytes);
  block.span()[0] = std::byte{1};
  REQUIRE((*disk)->write_at(offset, block.span()));
  REQUIRE((*disk)->flush());
}

template <class Tracker>
void come_to_rest(Tracker& tracker) {
  for (bool at_rest = false; !at_rest;) {
    const auto idle = tracker.idle();
    REQUIRE(idle);
    at_rest = *idle;
  }
}

std::unique_ptr<dirty_tracker> tracker_of(const std::string& device) {
  auto tracker = dirty_tracker::attach(device);
  REQUIRE(tracker);
  REQUIRE((*tracker)->start_barrier(std::chrono::seconds(10)));
  return std::move(*tracker);
}

}  // namespace

TEST_CASE("an audit finds a write that the tracker did not see",
          "[root][tracker]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk loop("8");
  const auto tracker = tracker_of(loop.path());
  write_block(loop.path(), 0);
  come_to_rest(*tracker);
  REQUIRE(tracker->audit());
  // The link's descriptor leads to another program's: that of submissions is
  // detached, and all that is looked at seems attached.
  REQUIRE(::dup2(test::link_of("on_bio_end"), test::link_of("on_submit")) >= 0);
  write_block(loop.path(), 1_MiB);
  come_to_rest(*tracker);
  const auto found = tracker->audit();
  REQUIRE_FALSE(found);
  CHECK(found.error().code == errc::mismatch);
  CHECK_THAT(found.error().context, test::contains_text("the kernel counts"));
}

TEST_CASE("an audit finds that a program was detached", "[root][tracker]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk loop("8");
  const auto tracker = tracker_of(loop.path());
  come_to_rest(*tracker);
  REQUIRE(tracker->audit());
  test::detach("on_request_end");
  const auto found = tracker->audit();
  REQUIRE_FALSE(found);
  CHECK(found.error().code == errc::mismatch);
  CHECK_THAT(found.error().context, test::contains_text("not attached"));
}

TEST_CASE("an audit compares each count with that of the beginning",
          "[root][tracker]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk loop("8");
  const auto disk = find_disk(loop.path());
  REQUIRE(disk);
  const auto programs =
      tracker_programs::attach(*disk, block_bytes, tracker_life::of_process);
  REQUIRE(programs);
  tracker_balance balance(*disk, *programs);
  REQUIRE(balance.start_barrier(std::chrono::seconds(10)));
  for (int i = 0; i < 4; ++i) {
    write_block(loop.path(), 0);
  }
  come_to_rest(balance);
  REQUIRE(balance.audit());
  const baseline base = *balance.base();
  const auto wrong = [&](const baseline& begun) {
    balance.set_base(begun);
    const auto found = balance.audit();
    REQUIRE_FALSE(found);
    CHECK(found.error().code == errc::mismatch);
    return found.error().context;
  };
  constexpr auto words = "sectors written";
  CHECK_THAT(wrong({base.kernel + 8, base.ours, base.unpaired}),
             test::contains_text(words));
  CHECK_THAT(wrong({base.kernel, base.ours + 8, base.unpaired}),
             test::contains_text(words));
  CHECK_THAT(wrong({base.kernel, base.ours, base.unpaired + 1}),
             test::contains_text("begin was not seen"));
  balance.set_base(base);
  CHECK(balance.audit());
}

TEST_CASE("an audit finds that the table of pending writes was full",
          "[root][tracker]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk loop("8");
  const bpf_folder folder;
  const auto tracker = standing_tracker::attach(
      folder.path(), loop.path(), tracker_purpose(), std::chrono::seconds(5));
  REQUIRE(tracker);
  come_to_rest(**tracker);
  REQUIRE((*tracker)->audit());
  const test::pinned_tracker kernel(folder.path());
  kernel.set_insert_failed(1);
  const auto found = (*tracker)->audit();
  kernel.set_insert_failed(0);
  REQUIRE_FALSE(found);
  CHECK(found.error().code == errc::mismatch);
  CHECK_THAT(found.error().context,
             test::contains_text("no place in the table"));
  CHECK((*tracker)->audit());
}

TEST_CASE("an audit in the middle of writes is put off", "[root][tracker]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk loop("16");
  const auto tracker = tracker_of(loop.path());
  storm writers(loop.path(), 16_MiB, 4);
  constexpr std::uint64_t enough = 20'000;
  int busy = 0;
  while (busy < 5 && writers.calls() < enough) {
    if (const auto asked = tracker->audit(); !asked) {
      // Neither right nor wrong: nothing can be compared now.
      REQUIRE(asked.error().code == errc::busy);
      ++busy;
    }
  }
  writers.stop();
  CHECK(busy == 5);
  come_to_rest(*tracker);
  CHECK(tracker->audit());
}

}  // namespace teleport
