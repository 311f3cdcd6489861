// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/disk_keeper_test.cpp: an index that is kept fresh while its disk is
// written, by keepers that come and go: what it says must be what is there.

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "index/extent_source.hpp"
#include "index/own_disk.hpp"
#include "index/scanner.hpp"
#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/disk/file_device.hpp"
#include "libteleport/disk/standing_tracker.hpp"
#include "test/support/bpf_folder.hpp"
#include "test/support/catch.hpp"
#include "test/support/kept_world.hpp"
#include "test/support/pinned_tracker.hpp"
#include "test/support/root_devices.hpp"
#include "test/support/storm.hpp"
#include "test/unit/index_fixture.hpp"

namespace teleport::index {

using std::chrono::milliseconds;
using outcome = disk_keeper::outcome;

TEST_CASE("a standing tracker outlives its owner", "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk disk("8");
  const bpf_folder trackers;
  unique_id life;
  {
    auto first = standing_tracker::attach(trackers.path(),
                                          disk.path(),
                                          tracker_purpose(),
                                          std::chrono::seconds(5));
    REQUIRE(first);
    write_extent(disk.path(), 1, 1);
    REQUIRE((*first)->collect());
    write_extent(disk.path(), 3, 1);
    REQUIRE((*first)->set_served_epoch(9));
    life = (*first)->life();
  }
  write_extent(disk.path(), 5, 1);  // nobody is there
  auto second = standing_tracker::adopt(trackers.path(), disk.path());
  REQUIRE(second);
  standing_tracker& tracker = **second;
  CHECK(life.is_set());
  CHECK(tracker.life() == life);
  CHECK(tracker.served_epoch() == 9);
  CHECK(tracker.behind().extents() == 3);
  for (std::uint64_t e = 0; e < 8; ++e) {
    CHECK(tracker.is_dirty(e) == (e == 1 || e == 3 || e == 5));
  }
  const auto collected = tracker.collect();
  REQUIRE(collected);
  CHECK(collected->extents() == 2);
  CHECK(tracker.behind().extents() == 3);
  tracker.served(1);
  tracker.served(5);
  CHECK(tracker.behind().next_extent(0) == 3);
  CHECK(tracker.behind().extents() == 1);
  for (bool at_rest = false; !at_rest;) {
    const auto idle = tracker.idle();
    REQUIRE(idle);
    at_rest = *idle;
  }
  CHECK(tracker.audit());
  standing_tracker::remove(trackers.path(), disk.path());
  CHECK(standing_tracker::adopt(trackers.path(), disk.path()).error().code ==
        errc::not_found);
}

TEST_CASE("what is in flight is collected, and stays dirty", "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk disk("8");
  const bpf_folder trackers;
  const auto made = standing_tracker::attach(
      trackers.path(), disk.path(), tracker_purpose(), std::chrono::seconds(5));
  REQUIRE(made);
  standing_tracker& tracker = **made;
  REQUIRE(tracker.collect());
  const test::pinned_tracker kernel(trackers.path());
  kernel.add_write(5 * extent_bytes, block_bytes);
  for (int turn = 0; turn < 2; ++turn) {
    const auto collected = tracker.collect();
    REQUIRE(collected);
    CHECK(collected->extents() == 1);
    CHECK(collected->next_extent(0) == 5);
    tracker.served(5);  // what was read may be what it was before the write
    CHECK(tracker.is_dirty(5));
  }
  kernel.remove_write();
  const auto last = tracker.collect();
  REQUIRE(last);
  CHECK(last->next_extent(0) == 5);
  tracker.served(5);
  CHECK_FALSE(tracker.is_dirty(5));
}

TEST_CASE("the tracker of a device made anew is not taken over",
          "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk disk("8");
  const bpf_folder trackers;
  REQUIRE(standing_tracker::attach(trackers.path(),
                                   disk.path(),
                                   tracker_purpose(),
                                   std::chrono::seconds(5)));
  wait_for_udev();
  REQUIRE(run_program({"losetup", "--detach", disk.path()}));
  REQUIRE(run_program({"losetup", disk.path(), disk.file()}));
  CHECK(standing_tracker::adopt(trackers.path(), disk.path()).error().code ==
        errc::not_found);
  CHECK(standing_tracker::devices(trackers.path()).size() == 1);
  standing_tracker::remove(trackers.path(), disk.path());
  CHECK(standing_tracker::devices(trackers.path()).empty());
}

TEST_CASE("a device whose table was exchanged is not vouched for",
          "[root][keeper]") {
  if (!can_use_device_mapper("linear")) {
    return;
  }
  const loop_disk disk("16");
  const mapped_disk mapped("exchanged", "0 16384 linear " + disk.path() + " 0");
  const bpf_folder trackers;
  auto made = standing_tracker::attach(trackers.path(),
                                       mapped.path(),
                                       tracker_purpose(),
                                       std::chrono::seconds(5));
  REQUIRE(made);
  CHECK((*made)->collect());
  CHECK(standing_tracker::adopt(trackers.path(), mapped.path()));
  program_options table;
  table.input = "0 16384 linear " + disk.path() + " 16384";
  const std::string name = mapped.path().substr(strlen("/dev/mapper/"));
  REQUIRE(run_program({"dmsetup", "load", name}, table));
  REQUIRE(run_program({"dmsetup", "resume", name}));
  CHECK((*made)->collect().error().code == errc::mismatch);
  CHECK((*made)->audit().error().code == errc::mismatch);
  CHECK(standing_tracker::adopt(trackers.path(), mapped.path()).error().code ==
        errc::mismatch);
}

TEST_CASE("no tracker is left where there is no BPF file system",
          "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk disk("8");
  const temp_folder plain;
  const auto made = standing_tracker::attach(plain / "trackers",
                                             disk.path(),
                                             tracker_purpose(),
                                             std::chrono::seconds(5));
  REQUIRE(!made);
  CHECK(made.error().code == errc::unsupported);
}

TEST_CASE("an index that is kept says what its disk holds", "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const kept_world world("80");
  const auto tables = open_store(world.folder());
  REQUIRE(add_disk(*tables, world.device()));
  write_extent(world.device(), 2, 5);
  CHECK(world.own(tables) == nullptr);
  auto keeper = world.keeper(*tables);
  CHECK(world.turn(*tables, keeper) == outcome::scan);
  auto own = world.own(tables);
  REQUIRE(own);
  CHECK(check_known(*own, world.device()) == 0);

  write_extent(world.device(), 2, 6);   // a group that is there
  write_extent(world.device(), 70, 7);  // one that was zeros
  CHECK(!own->find(2));
  CHECK(!own->find(70));
  CHECK(check_known(*own, world.device()) == 2);
  CHECK(world.turn(*tables, keeper) == outcome::fresh);  // written just now
  CHECK(check_known(*own, world.device()) == 2);
  CHECK(world.turn(*tables, keeper) == outcome::fresh);
  CHECK(check_known(*own, world.device()) == 0);
  CHECK(own->audit());

  write_extent(world.device(), 70, 0);  // zeros again
  world.catch_up(*tables);
  CHECK(own->find(70)->zero);
  CHECK(check_known(*own, world.device()) == 0);
}

TEST_CASE("a disk that is renamed stays known and followed", "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  const loop_disk disk("64");
  const bpf_folder trackers;
  const temp_folder names;
  const auto tables = open_store(names / "index");
  const auto keeper_of = [&](const std::string& path) {
    keeper_options options;
    options.trackers = trackers.path();
    return disk_keeper(*tables, {path, disk.path(), kept_guest}, options);
  };
  const std::string before = names / "web";
  const std::string after = names / "web.teleport-shadow";
  std::filesystem::create_symlink(disk.path(), before);
  write_extent(disk.path(), 5, 1);
  const auto added = add_disk(*tables, before);
  REQUIRE(added);
  {
    auto keeper = keeper_of(before);
    CHECK(*keeper.turn() == outcome::scan);
    scan_options how;
    how.ticket = keeper.ticket();
    scan(*tables, before, how);
  }
  std::filesystem::rename(before, after);
  REQUIRE(tables->rename_disk(added->id, after));
  write_extent(disk.path(), 6, 2);  // by whoever has it now
  CHECK(keeper_of(before).turn().error().code == errc::not_found);
  auto keeper = keeper_of(after);
  CHECK(*keeper.turn() == outcome::fresh);  // and nothing to be scanned
  CHECK(*keeper.turn() == outcome::fresh);
  const auto own =
      own_disk::open(tables, trackers.path(), disk.path(), kept_guest);
  REQUIRE(own);
  CHECK(check_known(*own, disk.path()) == 0);
  CHECK(own->audit());
}

TEST_CASE("a keeper that is killed again and again loses no write",
          "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  expect_warnings();
  const kept_world world("64");
  { static_cast<void>(world.open_followed()); }
  storm writers(world.device(), 64_MiB, 2);
  int compared = 0;
  // A keeper on a slow machine gets longer lives, until something was compared.
  constexpr int lives = 12;
  for (int life = 0; life < lives || (compared == 0 && life < 2 * lives);
       ++life) {
    const int slow = life < lives ? 1 : 10 * (life - lives + 1);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      const auto tables = open_store(world.folder());
      auto keeper = world.keeper(*tables);
      for (;;) {
        static_cast<void>(keeper.turn());
        std::this_thread::sleep_for(milliseconds(3));
      }
    }
    std::this_thread::sleep_for(milliseconds(150 + 37 * life));
    // Quiet for a while, so that there is something to be read.
    writers.pause(true);
    std::this_thread::sleep_for(milliseconds((20 + 11 * life) * slow));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    {
      // Whatever moment it was: nothing that is told is wrong.
      const auto tables = open_store(world.folder());
      const auto own = world.own(tables);
      REQUIRE(own);
      compared += check_known(*own, world.device()) < 64 ? 1 : 0;
    }
    writers.pause(false);
  }
  // Where all 64 extents are unknown, nothing was compared.
  CHECK(compared > 0);
  writers.stop();
  const auto tables = open_store(world.folder());
  world.catch_up(*tables);
  const auto own = world.own(tables);
  REQUIRE(own);
  CHECK(check_known(*own, world.device()) == 0);
  CHECK(own->audit());
}

TEST_CASE("what a tracker cannot vouch for is scanned again",
          "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  expect_warnings();
  const kept_world world("64");
  auto tables = world.open_followed();
  auto keeper = world.keeper(*tables);
  SECTION("its programs were detached") {
    standing_tracker::remove(world.trackers().path(), world.device());
    auto fresh = world.keeper(*tables);
    CHECK(world.own(tables) == nullptr);
    CHECK(world.turn(*tables, fresh) == outcome::scan);
  }
  SECTION("the index was lost") {
    tables.reset();
    std::filesystem::remove(world.folder() + "/data.mdb");
    tables = open_store(world.folder());
    CHECK(world.own(tables) == nullptr);
    REQUIRE(add_disk(*tables, world.device()));
    auto fresh = world.keeper(*tables);
    CHECK(world.turn(*tables, fresh) == outcome::scan);
  }
  SECTION("an older copy of the index came back") {
    const std::string data = world.folder() + "/data.mdb";
    REQUIRE(tables->sync());
    tables.reset();
    std::filesystem::copy_file(data, data + ".old");
    tables = open_store(world.folder());
    write_extent(world.device(), 3, 9);
    world.catch_up(*tables);
    tables.reset();
    std::filesystem::rename(data + ".old", data);
    tables = open_store(world.folder());
    CHECK(world.own(tables) == nullptr);
    auto fresh = world.keeper(*tables);
    CHECK(world.turn(*tables, fresh) == outcome::scan);
  }
  SECTION("groups are gone from the index") {
    write_extent(world.device(), 3, 9);
    world.catch_up(*tables);
    const std::uint32_t first =
        tables->disks()->all().front().base / group_extents;
    const auto key = index::big_endian_key(first);
    const std::array keys{byte_buffer(key.begin(), key.end())};
    REQUIRE(tables->erase(tables->groups(), keys));
    const auto own = world.own(tables);
    REQUIRE(own);
    CHECK(!own->find(3));
    CHECK(check_known(*own, world.device()) != 0);
  }
  const auto own = world.own(tables);
  if (own) {
    check_known(*own, world.device());
  }
}

}  // namespace teleport::index
