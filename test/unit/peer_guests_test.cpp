// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/peer_guests_test.cpp: which guests a limited host may be told of.

#include "xl-teleport/setup/peer_guests.hpp"

#include <string>

#include "libteleport/disk/disk_book.hpp"
#include "libteleport/migrate/journal.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {
namespace {

const std::string uuid = "6f1c2f2e-0c4d-4f53-9d5b-1f5f8a0e7c11";
const std::string other_uuid = "11111111-1111-4111-8111-111111111111";
const std::string id = "0123456789abcdef0123456789abcdef";
const std::string unknown_id = "f123456789abcdef0123456789abcdef";

struct host {
  host() {
    config.state_path = folder.path();
    config.store.path = folder.path();
  }
  void journal_has(journal_role role, const std::string& key) const {
    journal_entry entry;
    entry.id = id;
    entry.role = role;
    entry.state = role == journal_role::source ? journal_state::moved
                                               : journal_state::running;
    entry.guest = "web1";
    entry.uuid = uuid;
    entry.peer_key = key;
    auto entries = journal::open(config.journal_path());
    REQUIRE(entries);
    REQUIRE(entries->write(entry));
  }
  void book_has(const std::string& key) const {
    kept_disk disk;
    disk.guest = "web1";
    disk.uuid = uuid;
    disk.vdev = "xvda";
    disk.size = 512;
    disk.partial = folder / "web1-xvda.img";
    disk.peer = key;
    auto book = disk_book::open(config.kept_disks_path());
    REQUIRE(book);
    REQUIRE(book->write(disk));
  }
  [[nodiscard]] bool tells(const std::string& key,
                           const std::string& number,
                           const std::string& guest) const {
    const auto told = is_of_peer({number, guest}, key, config);
    REQUIRE(told);
    return *told;
  }

  temp_folder folder;
  settings config;
};

}  // namespace

TEST_CASE("a host that has nothing to do with a guest is told nothing of it",
          "[peers]") {
  const host here;
  CHECK_FALSE(here.tells("a", unknown_id, uuid));
  here.journal_has(journal_role::destination, "b");
  here.book_has("b");
  CHECK_FALSE(here.tells("a", unknown_id, uuid));
  CHECK_FALSE(here.tells("a", id, uuid));
  CHECK_FALSE(here.tells("a", id, ""));
  CHECK_FALSE(here.tells("", unknown_id, other_uuid));
}

TEST_CASE("a host is told of the guest that it brought, by either number",
          "[peers]") {
  const host here;
  here.journal_has(journal_role::destination, "a");
  CHECK(here.tells("a", id, uuid));
  CHECK(here.tells("a", id, ""));
  CHECK(here.tells("a", unknown_id, uuid));
  CHECK_FALSE(here.tells("a", unknown_id, ""));
  CHECK_FALSE(here.tells("a", unknown_id, other_uuid));
}

TEST_CASE("a host is told of the guest that it was sent", "[peers]") {
  const host here;
  here.journal_has(journal_role::source, "a");
  CHECK(here.tells("a", unknown_id, uuid));
  CHECK_FALSE(here.tells("b", unknown_id, uuid));
}

TEST_CASE("a host is told of a guest whose disks it brought", "[peers]") {
  const host here;
  here.book_has("a");
  CHECK(here.tells("a", unknown_id, uuid));
  CHECK_FALSE(here.tells("b", unknown_id, uuid));
}

TEST_CASE("another host's number opens no guest of one's own", "[peers]") {
  const host here;
  here.book_has("a");
  here.journal_has(journal_role::destination, "b");
  CHECK_FALSE(here.tells("a", id, uuid));
}

}  // namespace teleport
