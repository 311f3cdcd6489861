// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/coverage_test.cpp: an index answers for a disk only under the
// tracker that saw the scan begin, in the database that its marks went to, and
// for the guest that had the disk: whatever comes between costs bytes.

#include "index/coverage.hpp"

#include <deque>
#include <filesystem>
#include <functional>
#include <random>
#include <set>

#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>

#include "libteleport/base/unique_fd.hpp"
#include "test/support/catch.hpp"
#include "test/support/kept_world.hpp"

namespace teleport::index {

namespace {

using outcome = disk_keeper::outcome;

/// A turn that must be possible.
outcome turn_of(disk_keeper& keeper) {
  const auto now = keeper.turn();
  if (!now) {
    FAIL(now.error().context);
  }
  return *now;
}

/// Extents that are told without reading and are not what the disk holds, once
/// the audit has had its say.
///
/// @param seen  written since the teleport began: its own tracker has them
std::uint64_t stale_extents(known_content& own,
                            const std::string& device,
                            const std::set<std::uint64_t>& seen = {}) {
  auto disk = open_device(device, open_mode::read_only);
  REQUIRE(disk);
  const std::uint64_t size = (*disk)->size();
  std::vector<std::uint64_t> wrong;
  aligned_buffer bytes(extent_bytes);
  for (std::uint64_t e = 0; e < extents_of(size); ++e) {
    const auto known = own.find(e);
    if (!known) {
      continue;
    }
    const auto piece = bytes.span().first(extent_length(size, e));
    REQUIRE((*disk)->read_at(e * extent_bytes, piece));
    extent_content there;
    hash_extent(piece, there);
    const bool same = known->zero
                          ? there.count == 0
                          : std::ranges::equal(known->digest, there.sha);
    if (!same) {
      wrong.push_back(e);
    }
  }
  // As the last marks do.
  dirty_map read_after_all(size, block_bytes);
  if (!own.audit()) {
    own.mark_told(read_after_all);
  }
  std::erase_if(wrong, [&](std::uint64_t e) {
    return read_after_all.next_extent(e) == e || seen.contains(e);
  });
  return wrong.size();
}

/// A scan under the keeper's ticket, during which something happens once.
void scan_while(const kept_world& world,
                store& tables,
                const scan_ticket& ticket,
                const std::function<void()>& something) {
  scan_options how;
  how.threads = 1;
  how.idle_priority = false;
  how.ticket = ticket;
  bool done = false;
  how.progress = [&](const scan_progress&) {
    if (!std::exchange(done, true)) {
      something();
    }
  };
  static_cast<void>(scan_disk(tables, world.device(), how));
  REQUIRE(done);
}

}  // namespace

TEST_CASE("a scan counts for nothing under a tracker that came in the middle",
          "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  expect_warnings();
  const kept_world world("96");
  const auto tables = open_store(world.folder());
  write_extent(world.device(), 3, 1);
  REQUIRE(add_disk(*tables, world.device()));
  std::optional<disk_keeper> keeper(world.keeper(*tables));
  SECTION("nobody followed the disk when the scan began") {
    scan_while(world, *tables, scan_ticket(), [&] {
      write_extent(world.device(), 3, 2);
      CHECK(turn_of(*keeper) == outcome::scan);
    });
  }
  SECTION("the guest rebooted meanwhile") {
    CHECK(turn_of(*keeper) == outcome::scan);
    scan_while(world, *tables, keeper->ticket(), [&] {
      write_extent(world.device(), 3, 2);
      keeper.emplace(world.keeper(*tables, kept_guest + 1));
      CHECK(turn_of(*keeper) == outcome::scan);
    });
    CHECK(world.own(tables, kept_guest + 1) == nullptr);
  }
  SECTION("its tracker was detached and attached meanwhile") {
    CHECK(turn_of(*keeper) == outcome::scan);
    scan_while(world, *tables, keeper->ticket(), [&] {
      write_extent(world.device(), 3, 2);
      standing_tracker::remove(world.trackers().path(), world.device());
      keeper.emplace(world.keeper(*tables));
      CHECK(turn_of(*keeper) == outcome::scan);
    });
  }
  CHECK(world.own(tables) == nullptr);
  CHECK(keeper->needs_scan());
}

TEST_CASE("a disk is not known under the number of another", "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  expect_warnings();
  const kept_world web("64");
  const loop_disk db("64");
  write_extent(web.device(), 1, 1);
  write_extent(db.path(), 1, 2);
  auto tables = web.open_followed();
  REQUIRE(web.own(tables));
  // The index is deleted, and another disk is the first in the new one.
  tables.reset();
  std::filesystem::remove(web.folder() + "/data.mdb");
  tables = open_store(web.folder());
  scan(*tables, db.path());
  REQUIRE(add_disk(*tables, web.device()));
  CHECK(web.own(tables) == nullptr);
  auto keeper = web.keeper(*tables);
  CHECK(turn_of(keeper) == outcome::scan);
  CHECK(web.own(tables) == nullptr);
}

TEST_CASE("marks that went to another index are not missed by a teleport",
          "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  expect_warnings();
  const kept_world world("64");
  const temp_folder other;
  write_extent(world.device(), 3, 1);
  const auto tables = world.open_followed();
  write_extent(world.device(), 3, 2);
  const auto own = world.own(tables);  // a teleport begins
  REQUIRE(own);
  CHECK_FALSE(own->find(3));
  {
    // Meanwhile the index is begun anew, and brought up to date.
    const auto anew = open_store(other / "index");
    REQUIRE(add_disk(*anew, world.device()));
    world.catch_up(*anew);
  }
  CHECK(stale_extents(*own, world.device()) == 0);
}

TEST_CASE("what is known of a disk ends with the guest that had it",
          "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  expect_warnings();
  const kept_world world("64");
  const auto tables = world.open_followed();
  REQUIRE(world.own(tables));
  CHECK(world.own(tables, kept_guest + 1) == nullptr);
  CHECK(world.own(tables, 0) == nullptr);
  // Nobody has it for a while, and somebody repairs its image.
  auto nobodys = world.keeper(*tables, 0);
  CHECK(turn_of(nobodys) == outcome::scan);
  CHECK(world.own(tables) == nullptr);
}

TEST_CASE("a loop device that shows another part of its file is not known",
          "[root][keeper]") {
  if (!can_use_loop_devices()) {
    return;
  }
  expect_warnings();
  const kept_world world("64");
  write_extent(world.device(), 3, 1);
  const auto tables = world.open_followed();
  const auto own = world.own(tables);
  REQUIRE(own);
  const unique_fd loop(::open(world.device().c_str(), O_RDWR | O_CLOEXEC));
  loop_info64 info{};
  REQUIRE(::ioctl(loop.get(), LOOP_GET_STATUS64, &info) == 0);
  info.lo_offset = extent_bytes;
  REQUIRE(::ioctl(loop.get(), LOOP_SET_STATUS64, &info) == 0);
  CHECK_FALSE(own->check());
  CHECK_FALSE(own->find(2));
  CHECK(world.own(tables) == nullptr);
}

// Any order of what happens to a disk, its guest and its index, scans in the
// middle of it; the oracle is the content.
TEST_CASE("whatever happens, nothing stale is told", "[root][keeper][model]") {
  if (!can_use_loop_devices()) {
    return;
  }
  expect_warnings();
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) {
    return std::uniform_int_distribution<unsigned>(0, n - 1)(random);
  };
  const kept_world world("96");
  std::deque<temp_folder> folders(1);
  auto tables = open_store(folders.back() / "index");
  REQUIRE(add_disk(*tables, world.device()));
  std::uint32_t guest = kept_guest;
  std::optional<disk_keeper> keeper(world.keeper(*tables, guest));
  std::unique_ptr<own_disk> teleport;
  std::uint64_t content = 1;
  unsigned told = 0;
  std::set<std::uint64_t> seen;
  const auto write = [&] {
    const std::uint64_t extent = below(96);
    write_extent(world.device(), extent, ++content);
    seen.insert(extent);
  };
  const auto look = [&] {
    if (teleport) {
      REQUIRE(stale_extents(*teleport, world.device(), seen) == 0);
    }
    if (auto own = world.own(tables, guest)) {
      ++told;
      REQUIRE(stale_extents(*own, world.device()) == 0);
    }
  };
  const auto event = [&] {
    switch (below(7)) {
      case 0:
      case 1:
        write();
        break;
      case 2:  // the guest reboots
        guest += 1;
        teleport.reset();
        keeper.emplace(world.keeper(*tables, guest));
        break;
      case 3:  // teleportd is restarted
        keeper.emplace(world.keeper(*tables, guest));
        break;
      case 4:
        standing_tracker::remove(world.trackers().path(), world.device());
        break;
      case 5:
        static_cast<void>(keeper->turn());
        break;
      default:
        look();
    }
  };
  // The teleport that is under way has the old one open.
  const auto begin_anew = [&] {
    keeper.reset();
    folders.emplace_back();
    tables = open_store(folders.back() / "index");
    REQUIRE(add_disk(*tables, world.device()));
    keeper.emplace(world.keeper(*tables, guest));
  };
  for (int step = 0; step < 120; ++step) {
    CAPTURE(step);
    const unsigned what = below(12);
    if (what == 0) {
      begin_anew();
    } else if (what < 5) {
      const auto turned = keeper->turn();
      if (turned && *turned == outcome::scan) {
        scan_options how;
        how.threads = 1;
        how.idle_priority = false;
        how.ticket = below(4) == 0 ? scan_ticket() : keeper->ticket();
        how.progress = [&](const scan_progress&) {
          if (below(2) == 0) {
            event();
          }
        };
        static_cast<void>(scan_disk(*tables, world.device(), how));
      }
    } else if (what == 5) {
      teleport = world.own(tables, guest);
      seen.clear();
    } else {
      event();
    }
    look();
  }
  keeper.emplace(world.keeper(*tables, guest));
  world.catch_up(*tables, guest);
  look();
  CHECK(told != 0);
}

}  // namespace teleport::index
