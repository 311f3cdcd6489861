// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/fault/damaged_journal_test.cpp: every bit of a journal entry flipped.

#include <fstream>
#include <string>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/migrate/journal.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

namespace {

const std::string an_id = "0123456789abcdef0123456789abcdef";

}  // namespace

TEST_CASE(
    "an entry with any bit flipped is never another teleport's, role or "
    "state",
    "[fault]") {
  const temp_folder folder;
  auto book = journal::open(folder.path());
  REQUIRE(book);
  journal_entry entry;
  entry.id = an_id;
  entry.role = journal_role::destination;
  entry.state = journal_state::go;
  entry.guest = "web";
  entry.peer = "host1:4710";
  REQUIRE(book->write(entry));
  const std::string path = book->path_of(an_id, journal_role::destination);
  const std::string text = *read_small_file(path, 100'000);
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    CAPTURE(bit);
    std::string flipped = text;
    flipped[bit / 8] = static_cast<char>(
        static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    std::ofstream(path, std::ios::trunc | std::ios::binary) << flipped;
    const auto read = book->read(an_id, journal_role::destination);
    if (read) {
      REQUIRE(*read);
      CHECK((*read)->id == an_id);
      CHECK((*read)->role == journal_role::destination);
      CHECK((*read)->state == journal_state::go);
    }
  }
}

}  // namespace teleport
