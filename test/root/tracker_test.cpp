// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/tracker_test.cpp: a disk is written by several threads while it is
// copied in rounds; afterwards not one block may differ.

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/disk/dirty_tracker.hpp"
#include "libteleport/disk/file_device.hpp"
#include "test/support/catch.hpp"
#include "test/support/root_devices.hpp"
#include "test/support/storm.hpp"

namespace teleport {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// A copy of a disk in memory that follows it by rounds.
class mirror {
 public:
  explicit mirror(const std::string& path) {
    auto opened = open_device(path, open_mode::read_only);
    REQUIRE(opened);
    disk_ = std::move(*opened);
    copy_ = aligned_buffer(disk_->size());
  }
  void copy_all() { REQUIRE(disk_->read_at(0, copy_.span())); }
  void copy(dirty_map dirty) {
    for (auto at = dirty.next_extent(0); at; at = dirty.next_extent(*at)) {
      const auto mask = dirty.take_extent(*at);
      std::size_t first = 0;
      for (std::size_t i = 0; i <= extent_blocks; ++i) {
        if (i == extent_blocks || !mask.test(i)) {
          copy_blocks(*at * extent_blocks + first, i - first);
          first = i + 1;
        }
      }
    }
  }
  [[nodiscard]] std::uint64_t size() const { return disk_->size(); }
  /// Blocks that are not the same on the disk now.
  [[nodiscard]] std::uint64_t differences() {
    aligned_buffer now(disk_->size());
    REQUIRE(disk_->read_at(0, now.span()));
    std::uint64_t count = 0;
    for (std::size_t at = 0; at < now.size(); at += 4096) {
      const std::size_t length = std::min<std::size_t>(4096, now.size() - at);
      const bool same =
          std::memcmp(
              now.span().data() + at, copy_.span().data() + at, length) == 0;
      count += same ? 0U : 1U;
    }
    return count;
  }

 private:
  void copy_blocks(std::uint64_t first, std::size_t count) {
    const std::size_t at = first * block_bytes;
    if (count > 0) {
      REQUIRE(disk_->read_at(
          at,
          copy_.span().subspan(
              at, std::min(count * block_bytes, copy_.size() - at))));
    }
  }
  std::unique_ptr<block_device> disk_;
  aligned_buffer copy_;
};

bool comes_to_rest(dirty_tracker& tracker) {
  const auto deadline = clock::now() + std::chrono::seconds(30);
  while (clock::now() < deadline) {
    const auto idle = tracker.idle();
    REQUIRE(idle);
    if (*idle) {
      return true;
    }
    std::this_thread::sleep_for(milliseconds(1));
  }
  return false;
}

void report(const dirty_tracker& tracker, const storm& writers, int rounds) {
  const tracker_counters c = tracker.counters();
  UNSCOPED_INFO(writers.calls()
                << " calls, " << c.submitted_writes << " writes, " << rounds
                << " rounds, reused " << c.reused << ", insert_failed "
                << c.insert_failed << ", unpaired " << c.unpaired
                << ", missed ends " << c.missed_ends << ", missed " << c.missed
                << ", pending " << c.pending);
  if (std::getenv("TELEPORT_TEST_REPORT") != nullptr) {
    WARN(writers.calls() << " calls, " << c.submitted_writes << " writes, "
                         << rounds << " rounds, reused " << c.reused
                         << ", unpaired " << c.unpaired << ", missed ends "
                         << c.missed_ends << ", missed " << c.missed
                         << ", pending " << c.pending);
  }
}

/// The whole life of a teleport's disk, in small.
///
/// @param window  path that is tracked and copied
/// @param limit   for the start barrier while the writers are at work
void follow(const std::string& window, unsigned threads, milliseconds limit) {
  CAPTURE(window);
  mirror copy(window);
  storm writers(window, copy.size(), threads);
  std::this_thread::sleep_for(milliseconds(100));
  auto tracker = dirty_tracker::attach(window);
  REQUIRE(tracker);
  auto started = (*tracker)->start_barrier(limit);
  if (!started) {
    // As the caller does with the guest: a short pause, and once more.
    REQUIRE(started.error().code == errc::timeout);
    writers.pause(true);
    started = (*tracker)->start_barrier(std::chrono::seconds(20));
    writers.pause(false);
  }
  REQUIRE(started);
  copy.copy_all();
  int rounds = 0;
  for (const auto end = clock::now() + milliseconds(1500); clock::now() < end;
       ++rounds) {
    auto dirty = (*tracker)->take();
    REQUIRE(dirty);
    copy.copy(std::move(*dirty));
  }
  // On a busy machine the writers may not have run since the last round.
  for (const auto enough = writers.calls() + threads + 8;
       writers.calls() < enough;) {
    std::this_thread::yield();
  }
  writers.stop();
  CHECK(writers.failures() == 0);
  REQUIRE(comes_to_rest(**tracker));
  // The comparison can fail: before the last round the copy is behind.
  CHECK(copy.differences() > 0);
  auto last = (*tracker)->take();
  REQUIRE(last);
  copy.copy(std::move(*last));
  report(**tracker, writers, rounds);
  CHECK(copy.differences() == 0);
  CHECK((*tracker)->audit());
  const tracker_counters counted = (*tracker)->counters();
  CHECK(counted.insert_failed == 0);
  CHECK(counted.missed == 0);
  auto nothing = (*tracker)->take();
  REQUIRE(nothing);
  CHECK(nothing->empty());
}

/// A partition at an odd sector, and with an end that is no multiple of a
/// block.
class first_partition {
 public:
  explicit first_partition(const std::string& path)
      : disk_(::open(path.c_str(), O_RDONLY)) {
    part_.start = 2049 * 512;
    part_.length = 40'961 * 1024 + 512;
    part_.pno = 1;
    static_cast<void>(ask(BLKPG_DEL_PARTITION));  // of a test that was killed
    REQUIRE(ask(BLKPG_ADD_PARTITION));
  }
  first_partition(const first_partition&) = delete;
  first_partition& operator=(const first_partition&) = delete;
  first_partition(first_partition&&) = delete;
  first_partition& operator=(first_partition&&) = delete;
  ~first_partition() { static_cast<void>(ask(BLKPG_DEL_PARTITION)); }

 private:
  bool ask(int operation) {
    blkpg_ioctl_arg request{};
    request.op = operation;
    request.datalen = sizeof(part_);
    request.data = &part_;
    return ::ioctl(disk_.get(), BLKPG, &request) == 0;
  }
  unique_fd disk_;
  blkpg_partition part_{};
};

std::uint64_t sectors_of(const std::string& path) {
  auto disk = open_device(path, open_mode::read_only);
  REQUIRE(disk);
  return (*disk)->size() / 512;
}

std::string linear(std::uint64_t from,
                   std::uint64_t length,
                   const std::string& path,
                   std::uint64_t at) {
  return std::to_string(from) + " " + std::to_string(length) + " linear " +
         path + " " + std::to_string(at) + "\n";
}

std::string delayed(const std::string& path, int write_ms) {
  return "0 " + std::to_string(sectors_of(path)) + " delay " + path + " 0 0 " +
         path + " 0 " + std::to_string(write_ms) + "\n";
}

}  // namespace

TEST_CASE("no write to a loop device is lost", "[root][tracker]") {
  if (can_use_loop_devices()) {
    const loop_disk loop("64");
    follow(loop.path(), 6, milliseconds(2000));
  }
}

TEST_CASE("no write is lost when a device with 4 KiB sectors is tracked",
          "[root][tracker]") {
  if (can_use_loop_devices()) {
    const loop_disk loop("64", "4096");
    follow(loop.path(), 2, milliseconds(2000));
  }
}

TEST_CASE("no write to a partition is lost", "[root][tracker]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk loop("64");
  const first_partition part(loop.path());
  wait_for_udev();
  follow(loop.path() + "p1", 4, milliseconds(2000));
}

TEST_CASE("no write over the border of two linear segments is lost",
          "[root][tracker]") {
  if (!can_use_device_mapper("linear")) {
    return;
  }
  const loop_disk loop("80");
  // Segments of odd lengths in the wrong order: almost every long write
  // crosses some border.
  std::string table;
  for (std::uint64_t i = 0; i < 64; ++i) {
    table += linear(i * 2040, 2040, loop.path(), (63 - i) * 2040);
  }
  const mapped_disk disk("linear", table);
  follow(disk.path(), 6, milliseconds(2000));
}

TEST_CASE("no write is lost that ends in pieces, late and out of order",
          "[root][tracker]") {
  if (!can_use_device_mapper("delay") || !can_use_device_mapper("stripe")) {
    return;
  }
  const loop_disk one("32");
  const loop_disk two("32");
  const mapped_disk slow("slow", delayed(one.path(), 40));
  const mapped_disk quick("quick", delayed(two.path(), 5));
  const mapped_disk disk(
      "stripe",
      "0 131072 striped 2 128 " + slow.path() + " 0 " + quick.path() + " 0\n");
  follow(disk.path(), 16, milliseconds(500));
}

TEST_CASE("writes that were begun before the tracker came are not lost",
          "[root][tracker]") {
  if (!can_use_device_mapper("delay")) {
    return;
  }
  const loop_disk loop("32");
  const mapped_disk disk("delay", delayed(loop.path(), 900));
  follow(disk.path(), 16, milliseconds(100));
}

TEST_CASE("no write to a thin volume is lost", "[root][tracker]") {
  if (!can_use_device_mapper("thin-pool")) {
    return;
  }
  const loop_disk metadata("8");
  const loop_disk data("80");
  const mapped_disk pool(
      "pool",
      "0 163840 thin-pool " + metadata.path() + " " + data.path() + " 128 0\n");
  REQUIRE(
      run_program({"dmsetup", "message", pool.path(), "0", "create_thin 0"}));
  const mapped_disk disk("thin", "0 131072 thin " + pool.path() + " 0\n");
  follow(disk.path(), 6, milliseconds(2000));
}

/// Direct writes that fail where they would have to wait.
///
/// @return how many were refused
std::uint64_t write_without_waiting(const std::string& path,
                                    std::size_t threads,
                                    std::size_t writes) {
  std::atomic<std::uint64_t> refused = 0;
  std::vector<std::thread> writers;
  for (std::size_t t = 0; t < threads; ++t) {
    writers.emplace_back([&, t] {
      const unique_fd disk(
          ::open(path.c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC));
      aligned_buffer block(block_bytes);
      const iovec what{block.span().data(), block_bytes};
      for (std::size_t i = 0; i < writes; ++i) {
        const auto at = static_cast<off_t>((i * threads + t) % 1024 * 4096);
        if (::pwritev2(disk.get(), &what, 1, at, RWF_NOWAIT) < 0 &&
            errno == EAGAIN) {
          ++refused;
        }
      }
    });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  return refused;
}

TEST_CASE("a write that was refused before it began is not counted",
          "[root][tracker]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk loop("8");
  // As few requests as the kernel allows: the fifth write finds no place.
  std::ofstream("/sys/block/" + loop.path().substr(5) + "/queue/nr_requests")
      << 4;
  auto tracker = dirty_tracker::attach(loop.path());
  REQUIRE(tracker);
  REQUIRE((*tracker)->start_barrier(std::chrono::seconds(10)));
  std::uint64_t refused = 0;
  for (int round = 0; refused == 0 && round < 100; ++round) {
    refused = write_without_waiting(loop.path(), 16, 200);
  }
  REQUIRE(refused > 0);
  REQUIRE(comes_to_rest(**tracker));
  CHECK((*tracker)->audit());
}

TEST_CASE("a device that was made anew is not taken for the old one",
          "[root][tracker]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk loop("8");
  auto tracker = dirty_tracker::attach(loop.path());
  REQUIRE(tracker);
  REQUIRE((*tracker)->start_barrier(std::chrono::seconds(10)));
  CHECK((*tracker)->take());
  REQUIRE(run_program({"losetup", "--detach", loop.path()}));
  wait_for_udev();
  REQUIRE(run_program({"losetup", loop.path(), loop.file()}));
  CHECK((*tracker)->take().error().code == errc::mismatch);
  CHECK((*tracker)->audit().error().code == errc::mismatch);
}

TEST_CASE("an audit without a barrier fails, as does what is no disk",
          "[root][tracker]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk loop("8");
  auto tracker = dirty_tracker::attach(loop.path());
  REQUIRE(tracker);
  CHECK((*tracker)->audit().error().code == errc::mismatch);
  CHECK(dirty_tracker::attach("/dev/null").error().code == errc::bad_input);
  CHECK(dirty_tracker::attach("/dev/nothing").error().code == errc::not_found);
}

}  // namespace teleport
