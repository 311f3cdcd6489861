// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/peer_holdings_test.cpp: how much a paired host has brought here.

#include "xl-teleport/setup/peer_holdings.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/peer_files.hpp"
#include "libteleport/net/peer_pairing.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/destination/store_room.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"

namespace teleport {
namespace {

const std::string uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
const std::string other_uuid = "11111111-1111-4111-8111-111111111111";

kept_disk disk_of(const std::string& its_uuid,
                  std::uint64_t size,
                  const std::string& peer) {
  kept_disk disk;
  disk.guest = "web1";
  disk.uuid = its_uuid;
  disk.vdev = "xvda";
  disk.size = size;
  disk.partial = "/store/" + its_uuid;
  disk.peer = peer;
  return disk;
}

guest_info guest_with(std::uint64_t size) {
  guest_info guest;
  guest.name = "web1";
  guest.uuid = uuid;
  guest_disk disk;
  disk.vdev = "xvda";
  disk.size = size;
  disk.configured_path = "/dev/loop9";
  guest.disks.push_back(disk);
  return guest;
}

}  // namespace

TEST_CASE("a host has brought its kept disks and those of its guests that run",
          "[peers]") {
  const peer_holdings held({disk_of(uuid, 8_MiB, "a")},
                           {disk_of(other_uuid, 4_MiB, "a")});
  CHECK(held.bytes_of("a") == 12_MiB);
  CHECK(held.bytes_of("b") == 0);
  // What is offered replaces what is kept for it.
  CHECK(held.bytes_with("a", guest_with(8_MiB)) == 12_MiB);
  CHECK(held.bytes_with("a", guest_with(16_MiB)) == 20_MiB);
  CHECK(held.bytes_with("b", guest_with(16_MiB)) == 16_MiB);
}

TEST_CASE("one disk in both books counts once", "[peers]") {
  const peer_holdings held({disk_of(uuid, 8_MiB, "a")},
                           {disk_of(uuid, 8_MiB, "a")});
  CHECK(held.bytes_of("a") == 8_MiB);
}

TEST_CASE("a guest that left here and comes back is nothing that was brought",
          "[peers]") {
  kept_disk left = disk_of(uuid, 8_MiB, "a");
  left.own = true;
  const peer_holdings held({left}, {});
  CHECK(held.bytes_of("a") == 0);
  CHECK(held.bytes_with("a", guest_with(8_MiB)) == 0);
  CHECK(held.bytes_with("a", guest_with(10_MiB)) == 2_MiB);
  // Unless the host had brought it once.
  const peer_holdings brought({left}, {disk_of(uuid, 8_MiB, "a")});
  CHECK(brought.bytes_of("a") == 8_MiB);
  CHECK(brought.bytes_with("a", guest_with(8_MiB)) == 8_MiB);
}

TEST_CASE("what was seeded for a guest's name becomes the guest's", "[peers]") {
  const peer_holdings held({disk_of(uuid_of_name("web1"), 8_MiB, "a")}, {});
  CHECK(held.bytes_with("a", guest_with(8_MiB)) == 8_MiB);
}

TEST_CASE("a limited host's guest that runs counts until its disk is gone",
          "[peers]") {
  const temp_folder folder;
  settings config;
  config.state_path = folder / "state";
  config.store = {disk_kind::file, folder / "store", "", false};
  config.keys = {folder / "crt", folder / "key", folder / "peers", {}};
  std::filesystem::create_directory(folder / "store");
  REQUIRE(make_identity(config.keys, "host3"));
  const std::string pem = *read_small_file(config.keys.certificate, 64_KiB);
  const std::string key = *fingerprint_of(pem);
  REQUIRE(add_peer(config.keys.peers, "host3", pem, false));
  kept_disk disk = disk_of(uuid, 1_MiB, key);
  disk.partial = folder / "store/web1-xvda.img";
  std::ofstream(disk.partial) << "content";
  const auto held = [&] {
    const auto read = peer_holdings::read(config);
    REQUIRE(read);
    return read->bytes_of(key);
  };
  REQUIRE(note_arrived_disk(disk, config));
  CHECK(held() == 0);  // a host of ours
  REQUIRE(write_peer_limits(config.keys.peers, "host3", {}));
  REQUIRE(note_arrived_disk(disk, config));
  CHECK(held() == 1_MiB);
  std::filesystem::remove(disk.partial);
  CHECK(held() == 0);
}

TEST_CASE("a host may bring as much as its file says", "[peers]") {
  peer_limits limits;
  limits.store_limit = 20_MiB;
  const peer_rights rights("host3", "host3.conf", limits);
  CHECK(rights.check_store(0, 20_MiB));
  const auto refused = rights.check_store(8_MiB, 20_MiB + 1);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::no_space);
  CHECK(refused.error().context ==
        "host3 may have brought 20.0 MiB of disks here, has brought 8.0 MiB, "
        "and would have brought 20.0 MiB: 'store_limit' in host3.conf");
  CHECK(peer_rights().check_store(0, UINT64_MAX));
  CHECK_FALSE(peer_rights::nothing("host3", "why").check_store(0, 1));
}

TEST_CASE("a store keeps its reserve, and is not promised twice", "[store]") {
  store_room room{"volume group vg0", 40_MiB, 100_MiB, 30_MiB, 30_MiB, ""};
  CHECK(room.usable() == 40_MiB);
  CHECK(room.problems().empty());
  room.needed += 1;
  REQUIRE(room.problems().size() == 1);
  CHECK(room.problems().front().code == "store_space");
  CHECK(room.problems().front().sentence ==
        "the disks need 40 MiB of volume group vg0, 100 MiB are free, of which "
        "30 MiB are promised to others, and 30 MiB are to be left free "
        "('reserve' in [store])");
  // A disk that is whole already finds room in a store that is full.
  for (const std::uint64_t free : {std::uint64_t{0}, 10_MiB, 60_MiB}) {
    room.free = free;
    room.needed = 0;
    CHECK(room.usable() == 0);
    CHECK(room.problems().empty());
    room.needed = 1;
    CHECK(room.problems().size() == 1);
  }
  CHECK(
      store_room{"tmpfs", 2_MiB, 1_MiB, 0, 0, ""}.problems().front().sentence ==
      "the disks need 2 MiB of tmpfs, 1 MiB are free");
  room.beyond_quota = "host3 may not";
  CHECK(room.problems().back() == problem{"peer_quota", "host3 may not"});
}

}  // namespace teleport
