// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/drain_test.cpp: a device is suspended for a moment, and only when
// nobody else has it suspended or is about to change it.

#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/block_sysfs.hpp"
#include "libteleport/disk/device_drain.hpp"
#include "libteleport/disk/device_mapper.hpp"
#include "test/support/catch.hpp"
#include "test/support/root_devices.hpp"

namespace teleport {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds enough(5000);

std::uint64_t number_of(const std::string& device) {
  struct stat about {};
  REQUIRE(::stat(device.c_str(), &about) == 0);
  return about.st_rdev;
}

/// Writes that the device has begun and not ended; of the two fields of its
/// inflight file the second.
unsigned writes_of(std::uint64_t device) {
  std::ifstream file(block_folder(numbers_of(device)) + "/inflight");
  unsigned reads = 0;
  unsigned writes = 0;
  file >> reads >> writes;
  return writes;
}

bool becomes_true(const std::function<bool()>& condition) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > limit) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

std::string name_of(const mapped_disk& disk) {
  return disk.path().substr(std::string("/dev/mapper/").size());
}

}  // namespace

TEST_CASE("a volume's group is read from its name", "[drain]") {
  CHECK(volume_group_of("vg0-web") == "vg0");
  CHECK(volume_group_of("my--vg-web--data") == "my-vg");
  CHECK(volume_group_of("vg0-pool0_tdata") == "vg0");
  CHECK_FALSE(volume_group_of("crypt"));
  CHECK_FALSE(volume_group_of("a--b"));
  CHECK_FALSE(volume_group_of("-a"));
  CHECK_FALSE(volume_group_of("a-"));
  CHECK_FALSE(volume_group_of(""));
}

TEST_CASE("a drain leaves alone what others do to the device",
          "[root][drain]") {
  if (!can_use_device_mapper("linear")) {
    return;
  }
  const loop_disk below("16");
  const mapped_disk disk("drained", "0 16384 linear " + below.path() + " 0");
  const auto device = number_of(disk.path());
  const auto drain = [&] {
    bool was_quiet = false;
    auto done = drain_writes(device, enough, [&] { was_quiet = true; });
    CHECK(was_quiet == done.has_value());
    return done;
  };
  CHECK(drain());
  CHECK_FALSE(state_of_mapped(device)->suspended);
  SECTION("a suspension of somebody else's") {
    REQUIRE(run_program({"dmsetup", "suspend", name_of(disk)}));
    CHECK(drain().error().code == errc::busy);
    CHECK(state_of_mapped(device)->suspended);
    REQUIRE(run_program({"dmsetup", "resume", name_of(disk)}));
  }
  SECTION("a table that somebody has loaded") {
    program_options table;
    table.input = "0 16384 linear " + below.path() + " 16384";
    REQUIRE(run_program({"dmsetup", "load", name_of(disk)}, table));
    const auto before = table_digest(device);
    CHECK(drain().error().code == errc::busy);
    CHECK(state_of_mapped(device)->has_next_table);
    CHECK(*table_digest(device) == *before);
    REQUIRE(run_program({"dmsetup", "clear", name_of(disk)}));
  }
  SECTION("a drain of another process of ours") {
    const unique_fd other(::open(disk.path().c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(::flock(other.get(), LOCK_EX) == 0);
    CHECK(drain().error().code == errc::busy);
  }
  CHECK(drain());
}

TEST_CASE("a drain that a write holds up is given up, and the device goes on",
          "[root][drain]") {
  if (!can_use_device_mapper("linear")) {
    return;
  }
  const loop_disk below("16");
  const mapped_disk lower("stopped", "0 16384 linear " + below.path() + " 0");
  const mapped_disk disk("slow", "0 16384 linear " + lower.path() + " 0");
  const auto device = number_of(disk.path());
  wait_for_udev();
  // A write waits in the suspended device below; dm-delay would not do: it
  // sends what it holds back as soon as it is suspended itself.
  REQUIRE(run_program({"dmsetup", "suspend", name_of(lower)}));
  std::thread writer([&] {
    static_cast<void>(run_program({"dd",
                                   "if=/dev/zero",
                                   "of=" + disk.path(),
                                   "bs=4096",
                                   "count=1",
                                   "oflag=direct",
                                   "status=none"}));
  });
  const bool is_written = becomes_true([&] { return writes_of(device) > 0; });
  const auto done = drain_writes(device, milliseconds(200), [] {});
  const auto state = state_of_mapped(device);
  static_cast<void>(run_program({"dmsetup", "resume", name_of(lower)}));
  writer.join();
  REQUIRE(is_written);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::timeout);
  CHECK_FALSE(state->suspended);
  CHECK(drain_writes(device, enough, [] {}));
}

}  // namespace teleport
