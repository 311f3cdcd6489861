// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/kept_removal_test.cpp: a kept disk that somebody needs, or may
// need, is not deleted.

#include "tools/teleportctl/kept_removal.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include "libteleport/disk/file_home.hpp"
#include "libteleport/migrate/journal.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/guest_lock.hpp"

namespace teleport {

namespace {

constexpr const char* web1 = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";

/// A host that keeps one disk for web1.
struct keeper {
  keeper() {
    config.state_path = folder / "state";
    config.run_path = folder / "run";
    config.store.path = folder.path();
    std::ofstream(shadow()) << "content";
    disk.guest = "web1";
    disk.uuid = web1;
    disk.vdev = "xvda";
    disk.size = 512;
    disk.shadow = file_home::place_of(folder / "web1.img");
    disk.identity = identify_disk(shadow()).value();
    note();
  }
  void note() const {
    REQUIRE(disk_book::open(config.kept_disks_path())->write(disk));
  }
  [[nodiscard]] std::string shadow() const {
    return folder / "web1.img.teleport-shadow";
  }
  [[nodiscard]] bool is_there() const {
    return std::filesystem::exists(shadow());
  }
  [[nodiscard]] kept_item item() const {
    const auto items = look_at_kept(config);
    REQUIRE(items);
    REQUIRE(items->size() == 1);
    return items->front();
  }
  void journal_says(journal_role role,
                    journal_state state,
                    const std::string& uuid = web1) const {
    journal_entry entry;
    entry.id = "00112233445566778899aabbccddeeff";
    entry.role = role;
    entry.state = state;
    entry.guest = uuid == web1 ? "web1" : "other";
    entry.uuid = uuid;
    REQUIRE(journal::open(config.journal_path())->write(entry));
  }
  /// @return the error's kind; none when it is deleted
  [[nodiscard]] std::optional<errc> removal() const {
    const auto done = remove_kept(item(), config);
    CHECK(done.has_value() == !is_there());
    return done ? std::nullopt : std::optional(done.error().code);
  }

  temp_folder folder;
  settings config;
  kept_disk disk;
};

}  // namespace

TEST_CASE("a kept disk that nobody needs is deleted with its entry", "[kept]") {
  const keeper here;
  CHECK(check_removable(here.item(), here.config));
  CHECK_FALSE(here.removal());
  CHECK(look_at_kept(here.config)->empty());
}

TEST_CASE("the disk of a guest whose teleport is not over stays", "[kept]") {
  const keeper here;
  using role = journal_role;
  using state = journal_state;
  for (const state at : {state::moving, state::go, state::moved}) {
    here.journal_says(role::source, at);
    CHECK(here.removal() == errc::refused);
  }
  // Of another guest, or over.
  here.journal_says(
      role::source, state::go, "11111111-1111-4111-8111-111111111111");
  CHECK(check_removable(here.item(), here.config));
  here.journal_says(role::source, state::cleared);
  for (const state at : {state::building, state::ready, state::go}) {
    here.journal_says(role::destination, at);
    CHECK(here.removal() == errc::refused);
  }
  here.journal_says(role::destination, state::abandoned);
  CHECK_FALSE(here.removal());
}

TEST_CASE("a disk that a session has stays", "[kept]") {
  const keeper here;
  for (const std::string& uuid : {std::string(web1), uuid_of_name("web1")}) {
    const auto session = lock_guest(here.config.run_path, uuid);
    REQUIRE(session);
    CHECK(here.removal() == errc::busy);
  }
  CHECK_FALSE(here.removal());
}

TEST_CASE("an entry that was written anew since it was looked at stays",
          "[kept]") {
  keeper here;
  const auto before = here.item();
  here.disk.size = 1024;
  here.note();
  CHECK(remove_kept(before, here.config).error().code == errc::busy);
  CHECK(here.is_there());
}

TEST_CASE("a disk of which it is not noted which it is stays", "[kept]") {
  keeper here;
  here.disk.identity.reset();
  here.note();
  CHECK(here.removal() == errc::refused);
}

TEST_CASE("a guest's disk is not deleted", "[kept]") {
  const keeper here;
  auto item = here.item();
  for (const auto standing : {kept_standing::in_use,
                              kept_standing::of_guest,
                              kept_standing::unsettled}) {
    item.standing = standing;
    CHECK(check_removable(item, here.config).error().code == errc::refused);
  }
}

}  // namespace teleport
