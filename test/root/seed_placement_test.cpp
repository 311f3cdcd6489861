// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/root/seed_placement_test.cpp: what becomes of a seed's targets: shadows,
// also after a crash in the middle, and the guest's when it comes.

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <unistd.h>

#include "libteleport/base/process.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/file_device.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/skip.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/destination/placement.hpp"
#include "xl-teleport/setup/arrival.hpp"

namespace teleport {

namespace {

constexpr const char* key = "a host's key";
const known_peer peer{"a host", key};

guest_info guest_of(const std::string& uuid) {
  guest_info guest;
  guest.name = "web1";
  guest.uuid = uuid;
  guest_disk disk;
  disk.vdev = "xvda";
  disk.size = 1_MiB;
  disk.configured_path = "/dev/loop9";
  guest.disks.push_back(disk);
  return guest;
}

settings settings_in(const temp_folder& folder) {
  settings config;
  config.state_path = folder / "state";
  config.run_path = folder / "run";
  return config;
}

struct host {
  temp_folder folder;
  settings config = settings_in(folder);
  disk_book book = disk_book::open(config.kept_disks_path()).value();
  kept_review nothing_runs;
  std::unique_ptr<disk_store> store;

  host() {
    std::filesystem::create_directory(folder / "store");
    store = open_store({disk_kind::file, folder / "store", "", false}).value();
  }
  std::optional<guest_claims> claims;

  /// In a session of its own: the one before has ended.
  result<std::unique_ptr<placement>> try_to_place(const guest_info& guest) {
    claims.reset();
    claims = guest_claims::take(config.run_path, guest).value();
    return placement::make(guest, {*store, book, *claims, peer}, nothing_runs);
  }
  std::unique_ptr<placement> place(const guest_info& guest) {
    auto placed = try_to_place(guest);
    REQUIRE(placed);
    return std::move(*placed);
  }
  [[nodiscard]] bool has(const std::string& name) const {
    return std::filesystem::exists(folder / ("store/" + name));
  }
};

/// A loop device over the second half of a file of 2 MiB.
class window_disk {
 public:
  explicit window_disk(const std::string& file) {
    std::ofstream(file) << std::string(2_MiB, 'b');
    auto made = run_program(
        {"losetup", "--find", "--show", "--offset", "1048576", file});
    REQUIRE(made);
    path_ = made->substr(0, made->find('\n'));
  }
  window_disk(const window_disk&) = delete;
  window_disk& operator=(const window_disk&) = delete;
  window_disk(window_disk&&) = delete;
  window_disk& operator=(window_disk&&) = delete;
  ~window_disk() {
    static_cast<void>(run_program({"losetup", "--detach", path_}));
  }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

bool is_root() {
  if (::geteuid() == 0) {
    return true;
  }
  test::skip_test("needs root and loop devices");
  return false;
}

constexpr const char* real_uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";

}  // namespace

TEST_CASE("a seed's disks become shadows, and the guest of that name has them",
          "[root][seed]") {
  if (!is_root()) {
    return;
  }
  host here;
  const auto named = guest_of(uuid_of_name("web1"));
  {
    const auto seed = here.place(named);
    CHECK(seed->described()[0].kind == "new");
    const std::vector<std::byte> bytes(4096, std::byte{7});
    REQUIRE(seed->targets()[0].device->write_at(0, bytes));
    REQUIRE(seed->flush());
    REQUIRE(seed->keep_as_shadows());
  }
  CHECK_FALSE(here.has("web1-xvda"));
  CHECK(here.has("web1-xvda.teleport-shadow"));
  {
    const auto again = here.place(named);
    CHECK(again->described()[0].kind == "shadow");
    REQUIRE(again->keep_as_shadows());
  }
  // Its teleport fails once: the shadow is the real guest's from then on, and a
  // seed of the name still finds it.
  const auto real = guest_of(real_uuid);
  {
    const auto arrival = here.place(real);
    CHECK(arrival->described()[0].kind == "shadow");
    arrival->share();
    // xl opens it under the name from which nothing is started.
    CHECK_FALSE(here.has("web1-xvda"));
    REQUIRE(arrival->put_back());
  }
  const auto entries = here.book.all();
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  CHECK(entries->front().uuid == real_uuid);
  {
    const auto again = here.place(named);
    CHECK(again->described()[0].kind == "shadow");
    REQUIRE(again->keep_as_shadows());
  }
  // The guest arrives: its disk is the one that was seeded, and none is kept
  // for it any more.
  const auto arrival = here.place(real);
  arrival->share();
  const std::string path = arrival->paths().at("xvda");
  const teleport::arrival plan{real.name, real.uuid, "", arrival->kept()};
  arrival->release_to_guest();
  for (int i = 0; i < 2; ++i) {  // it may be repeated
    REQUIRE(finish_arrival(plan, here.config));
    CHECK(here.book.all()->empty());
    CHECK(here.has("web1-xvda"));
  }
  {
    auto device = open_device(path, open_mode::read_only);
    REQUIRE(device);
    std::vector<std::byte> bytes(4096);
    REQUIRE((*device)->read_at(0, bytes));
    CHECK(bytes[4095] == std::byte{7});
  }
  const auto placed = here.store->open(here.folder / "store/web1-xvda");
  REQUIRE(placed);
  CHECK(here.store->remove(*placed));
}

TEST_CASE(
    "a seed cut between the book and the renaming is finished by the next",
    "[root][seed]") {
  if (!is_root()) {
    return;
  }
  host here;
  const auto named = guest_of(uuid_of_name("web1"));
  {
    const auto seed = here.place(named);
    const auto home = find_home(seed->paths().at("xvda"));
    REQUIRE(home);
    kept_disk entry;
    entry.guest = named.name;
    entry.uuid = named.uuid;
    entry.vdev = "xvda";
    entry.size = 1_MiB;
    entry.shadow = (*home)->place();
    REQUIRE(here.book.write(entry));
  }  // killed here: the loop device stays
  CHECK(here.has("web1-xvda"));
  const auto again = here.place(named);
  CHECK(again->described()[0].kind == "shadow");
  CHECK(here.has("web1-xvda.teleport-shadow"));
  REQUIRE(again->keep_as_shadows());
}

TEST_CASE("a device of the kept one's name that is another disk is not written",
          "[root][seed]") {
  if (!is_root()) {
    return;
  }
  // Loop devices over parts of files: what is kept by a device's name alone.
  host here;
  const window_disk kept_one(here.folder / "disk-a");
  const window_disk other(here.folder / "disk-b");
  const std::string name = here.folder / "name";
  std::filesystem::create_symlink(kept_one.path(), name);
  const auto guest = guest_of(real_uuid);
  const auto home = find_home(name);
  REQUIRE(home);
  REQUIRE((*home)->place().kind == disk_kind::other_device);
  kept_disk entry;
  entry.guest = guest.name;
  entry.uuid = guest.uuid;
  entry.vdev = "xvda";
  entry.size = 1_MiB;
  entry.shadow = (*home)->place();
  const bool noted = GENERATE(true, false);
  if (noted) {
    entry.identity = (*home)->identity().value();
  }
  REQUIRE(here.book.write(entry));
  CHECK(foresee(guest, here.book, *here.store, here.nothing_runs, peer)
            ->disks[0]
            .kind == (noted ? "shadow" : "new"));
  // After a boot the name is another's.
  std::filesystem::remove(name);
  std::filesystem::create_symlink(other.path(), name);
  CHECK(foresee(guest, here.book, *here.store, here.nothing_runs, peer)
            ->disks[0]
            .kind == "new");
  {
    const auto seed = here.place(guest);
    CHECK(seed->described()[0].kind == "new");
    const std::vector<std::byte> bytes(4096, std::byte{7});
    REQUIRE(seed->targets()[0].device->write_at(0, bytes));
    REQUIRE(seed->flush());
    REQUIRE(seed->keep_as_shadows());
  }
  std::ifstream in(here.folder / "disk-b");
  std::string content(2_MiB, '?');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  CHECK(content == std::string(2_MiB, 'b'));
}

TEST_CASE("a file that came under the kept one's name is not written",
          "[root][seed]") {
  if (!is_root()) {
    return;
  }
  host here;
  const auto guest = guest_of(real_uuid);
  {
    const auto seed = here.place(guest);
    if (GENERATE(true, false)) {
      REQUIRE(seed->keep_as_shadows());
    } else {
      REQUIRE(seed->put_back());
    }
  }
  const auto kept = here.book.all()->front();
  REQUIRE(kept.identity);
  const std::string path = kept.shadow ? kept.shadow->aside : kept.partial;
  std::filesystem::rename(path, path + ".away");
  std::ofstream(path) << std::string(1_MiB, 'b');
  const auto seed = here.place(guest);
  CHECK(seed->described()[0].kind == "new");
  const std::vector<std::byte> bytes(4096, std::byte{7});
  REQUIRE(seed->targets()[0].device->write_at(0, bytes));
  REQUIRE(seed->flush());
  std::ifstream in(path);
  CHECK(in.get() == 'b');
  REQUIRE(seed->keep_as_shadows());
}

TEST_CASE("what is kept grows with the guest's disk", "[root][seed]") {
  if (!is_root()) {
    return;
  }
  host here;
  auto guest = guest_of(real_uuid);
  const std::vector<std::byte> bytes(4096, std::byte{7});
  {
    const auto seed = here.place(guest);
    REQUIRE(seed->targets()[0].device->write_at(0, bytes));
    REQUIRE(seed->flush());
    if (GENERATE(true, false)) {
      REQUIRE(seed->keep_as_shadows());
    } else {
      REQUIRE(seed->put_back());  // an attempt that failed
    }
  }
  guest.disks[0].size = 2_MiB;
  {
    const auto foreseen_now =
        foresee(guest, here.book, *here.store, here.nothing_runs, peer);
    REQUIRE(foreseen_now);
    CHECK(foreseen_now->disks[0].kind != "new");
    // A block was written; the rest are holes.
    const std::uint64_t needed = foreseen_now->needs.front().bytes;
    CHECK(needed < guest.disks[0].size);
    CHECK(needed + 64_KiB >= guest.disks[0].size);
    CHECK(foreseen_now->problems.empty());
    const auto again = here.place(guest);
    CHECK(again->described()[0].kind != "new");
    CHECK(again->targets()[0].device->size() == guest.disks[0].size);
    std::vector<std::byte> found(4096);
    REQUIRE(again->targets()[0].device->read_at(0, found));
    CHECK(found == bytes);
    REQUIRE(again->keep_as_shadows());
  }
  const auto entries = here.book.all();
  REQUIRE(entries);
  REQUIRE(entries->size() == 1);
  CHECK(entries->front().size == guest.disks[0].size);
}

TEST_CASE("what is kept is not cut before its new content is here",
          "[root][seed]") {
  if (!is_root()) {
    return;
  }
  host here;
  auto guest = guest_of(real_uuid);
  REQUIRE(here.place(guest)->keep_as_shadows());
  const std::string file = here.folder / "store/web1-xvda.teleport-shadow";
  guest.disks[0].size = 512;
  const auto seen =
      foresee(guest, here.book, *here.store, here.nothing_runs, peer);
  REQUIRE(seen);
  REQUIRE(seen->problems.size() == 1);
  CHECK(seen->problems[0].code == "disk_size");
  const auto refused = here.try_to_place(guest);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::refused);
  CHECK(std::filesystem::file_size(file) == 1_MiB);
  CHECK(here.book.all()->front().size == 1_MiB);
}

TEST_CASE("one disk has one session, whatever words it is asked for by",
          "[root][seed]") {
  if (!is_root()) {
    return;
  }
  host here;
  // The name of one guest, the uuid of another: nothing ties them together.
  auto both = guest_of(real_uuid);
  both.name = "evil";
  REQUIRE(here.place(both)->put_back());
  // The uuid's guest has the disk now.
  const auto own = here.place(guest_of(real_uuid));
  CHECK(own->described()[0].kind == "partial");
  auto named = guest_of(uuid_of_name("evil"));
  named.name = "evil";
  const auto second = guest_claims::take(here.config.run_path, named);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == errc::busy);
  // A book that names the disk for a third guest, too, is of no use.
  auto entry = here.book.all()->front();
  entry.guest = "third";
  entry.uuid = uuid_of_name("third");
  REQUIRE(here.book.write(entry));
  auto third = guest_of(entry.uuid);
  third.name = "third";
  auto claims = guest_claims::take(here.config.run_path, third);
  REQUIRE(claims);
  const auto refused = placement::make(
      third, {*here.store, here.book, *claims, peer}, here.nothing_runs);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::busy);
  REQUIRE(own->put_back());
}

TEST_CASE("a disk gets no name whose shadow would have another's",
          "[root][seed]") {
  if (!is_root()) {
    return;
  }
  host here;
  const auto guest = guest_of(real_uuid);
  {
    // Left by somebody of whom the book knows nothing.
    const std::ofstream other(here.folder / "store/web1-xvda.teleport-shadow");
  }
  const auto seed = here.place(guest);
  REQUIRE(seed->keep_as_shadows());
  CHECK(here.has("web1-xvda-6f1c2f2e.teleport-shadow"));
}

}  // namespace teleport
