// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/last_marks_test.cpp: the source's last marks of a disk count when
// its tracker vouches for them, and end the teleport when it does not.

#include <optional>

#include "libteleport/base/units.hpp"
#include "libteleport/net/event_loop.hpp"
#include "test/support/bpf_links.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/root_devices.hpp"
#include "xl-teleport/source/disk_mover.hpp"

namespace teleport {

namespace {

/// The mover of a disk that its guest may write.
struct written_disk {
  written_disk() : loop(1), mover(loop, events()) {
    guest_disk one;
    one.vdev = "xvda";
    one.device = disk.path();
    one.size = 8_MiB;
    REQUIRE(mover.attach({one}, [](bool) { return result<void>(); }, {}));
  }
  disk_mover::events events() {
    disk_mover::events all;
    all.send = [](record_type, byte_span) {};
    all.queued = [] { return std::size_t{0}; };
    all.on_last_marks = [this] { vouched_for = true; };
    all.on_failed = [this](const error& cause) { failure = cause; };
    return all;
  }
  void take_last_marks() {
    mover.take_last_marks();
    while (!vouched_for && !failure) {
      loop.context().run_one();
    }
  }

  const loop_disk disk{"8"};
  event_loop loop;
  bool vouched_for = false;
  std::optional<error> failure;
  disk_mover mover;
};

}  // namespace

TEST_CASE("last marks count where the disk's tracker was there all the time",
          "[root][source]") {
  if (!can_use_loop_devices()) {
    return;
  }
  written_disk one;
  one.take_last_marks();
  CHECK(one.vouched_for);
  CHECK_FALSE(one.failure);
}

TEST_CASE("last marks do not count where a program of the tracker was detached",
          "[root][source]") {
  if (!can_use_loop_devices()) {
    return;
  }
  written_disk one;
  test::detach("on_request_end");
  one.take_last_marks();
  CHECK_FALSE(one.vouched_for);
  REQUIRE(one.failure);
  CHECK_THAT(one.failure->context, test::contains_text("not attached"));
}

}  // namespace teleport
