// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/journal.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "libteleport/base/durable_file.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

const std::string an_id = "0123456789abcdef0123456789abcdef";

journal_entry some_entry(journal_state state) {
  journal_entry entry;
  entry.id = an_id;
  entry.role = journal_role::destination;
  entry.state = state;
  entry.guest = "web \"1\"\n";
  entry.uuid = "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a11";
  entry.domid = 4711;
  entry.peer = "[2001:db8::1]:4710";
  entry.disks = R"([{"vdev":"xvda"}])";
  return entry;
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc | std::ios::binary) << text;
}

}  // namespace

TEST_CASE("a journal entry is read as it was written, in every state",
          "[migrate]") {
  const temp_folder folder;
  auto book = journal::open(folder / "j");
  REQUIRE(book);
  for (int i = 0; i <= static_cast<int>(journal_state::abandoned); ++i) {
    const journal_entry entry = some_entry(static_cast<journal_state>(i));
    REQUIRE(book->write(entry));
    const auto back = book->read(an_id, journal_role::destination);
    REQUIRE(back);
    REQUIRE(*back);
    const journal_entry& read = **back;
    CHECK(read.id == entry.id);
    CHECK(read.role == entry.role);
    CHECK(read.state == entry.state);
    CHECK(read.guest == entry.guest);
    CHECK(read.uuid == entry.uuid);
    CHECK(read.domid == entry.domid);
    CHECK(read.peer == entry.peer);
    CHECK(read.disks == entry.disks);
  }
}

TEST_CASE("the two roles of one teleport do not meet", "[migrate]") {
  const temp_folder folder;
  auto book = journal::open(folder.path());
  REQUIRE(book);
  journal_entry source = some_entry(journal_state::go);
  source.role = journal_role::source;
  REQUIRE(book->write(source));
  REQUIRE(book->write(some_entry(journal_state::ready)));
  CHECK((*book->read(an_id, journal_role::source))->state == journal_state::go);
  CHECK((*book->read(an_id, journal_role::destination))->state ==
        journal_state::ready);
  REQUIRE(book->remove(an_id, journal_role::source));
  CHECK_FALSE(*book->read(an_id, journal_role::source));
  CHECK(book->all(journal_role::destination)->size() == 1);
  CHECK(book->all(journal_role::source)->empty());
}

TEST_CASE("an entry cut anywhere is damaged or not one at all", "[migrate]") {
  const temp_folder folder;
  auto book = journal::open(folder.path());
  REQUIRE(book);
  REQUIRE(book->write(some_entry(journal_state::go)));
  const std::string path = book->path_of(an_id, journal_role::destination);
  const std::string text = *read_small_file(path, 100'000);
  // The last byte is the new line after the closing brace.
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    write_text(path, text.substr(0, size));
    const auto read = book->read(an_id, journal_role::destination);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::corrupt);
  }
  CHECK(book->all(journal_role::destination)->empty());
}

TEST_CASE("an entry of which a byte was changed is damaged, or says the same",
          "[migrate]") {
  const temp_folder folder;
  auto book = journal::open(folder.path());
  REQUIRE(book);
  const journal_entry written = some_entry(journal_state::go);
  REQUIRE(book->write(written));
  const std::string path = book->path_of(an_id, journal_role::destination);
  const std::string text = *read_small_file(path, 100'000);
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string changed = text;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    write_text(path, changed);
    const auto read = book->read(an_id, journal_role::destination);
    INFO("byte " << at << " of " << text);
    // JSON does not care for some bytes: the line's end.
    CHECK((!read || (*read && **read == written)));
  }
}

TEST_CASE("an entry of another name or of no known role is damaged",
          "[migrate]") {
  const temp_folder folder;
  auto book = journal::open(folder.path());
  REQUIRE(book);
  const std::string other = "ffffffffffffffffffffffffffffffff";
  REQUIRE(book->write(some_entry(journal_state::running)));
  std::filesystem::rename(book->path_of(an_id, journal_role::destination),
                          book->path_of(other, journal_role::destination));
  CHECK_FALSE(book->read(other, journal_role::destination));
  CHECK(book->all(journal_role::destination)->empty());
}

TEST_CASE("an id that is not ours never names a file", "[migrate]") {
  const temp_folder folder;
  auto book = journal::open(folder.path());
  REQUIRE(book);
  for (const std::string& id :
       {std::string(),
        std::string("../../../../etc/passwd"),
        std::string(31, '0'),
        std::string(33, '0'),
        std::string("0123456789ABCDEF0123456789ABCDEF"),
        std::string("0123456789abcdef/123456789abcdef"),
        std::string("0123456789abcdef0123456789abcde\0", 32)}) {
    CHECK_FALSE(is_teleport_id(id));
    journal_entry entry = some_entry(journal_state::go);
    entry.id = id;
    const auto written = book->write(entry);
    REQUIRE_FALSE(written);
    CHECK(written.error().code == errc::bad_input);
    CHECK_FALSE(book->read(id, journal_role::source));
    CHECK_FALSE(book->remove(id, journal_role::source));
  }
  CHECK(is_teleport_id(an_id));
}

TEST_CASE("what a crash left beside an entry is not an entry", "[migrate]") {
  const temp_folder folder;
  auto book = journal::open(folder.path());
  REQUIRE(book);
  REQUIRE(book->write(some_entry(journal_state::ready)));
  write_text(book->path_of(an_id, journal_role::destination) + ".new", "{");
  const auto all = book->all(journal_role::destination);
  REQUIRE(all);
  REQUIRE(all->size() == 1);
  CHECK(all->front().state == journal_state::ready);
  CHECK((*book->read(an_id, journal_role::destination))->state ==
        journal_state::ready);
}

TEST_CASE("a guest's name that is no UTF-8 can be journalled", "[migrate]") {
  const temp_folder folder;
  auto book = journal::open(folder.path());
  REQUIRE(book);
  journal_entry entry = some_entry(journal_state::go);
  entry.guest = "caf\xe9";
  REQUIRE(book->write(entry));
  CHECK((*book->read(an_id, journal_role::destination))->state ==
        journal_state::go);
}

}  // namespace teleport
