// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/close_departures_test.cpp: what the journal has of earlier
// departures of a guest that is here again.

#include <string>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"
#include "xl-teleport/setup/arrival.hpp"

namespace teleport {

namespace {

constexpr const char* web1 = "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a11";
constexpr const char* web2 = "2c7d4d4e-5f5c-4d0a-9d0e-3f6c3f0f7a12";
const std::string beta(64, 'b');
const std::string gamma(64, 'c');

journal_entry entry_of(journal_role role,
                       const std::string& uuid,
                       journal_state state,
                       const std::string& peer_key) {
  journal_entry entry;
  entry.id = std::string(32, 'a');
  entry.role = role;
  entry.state = state;
  entry.guest = "web1";
  entry.uuid = uuid;
  entry.peer_key = peer_key;
  return entry;
}

/// The state of a departure after the guest of uuid web1 came from beta.
journal_state after_arrival(const journal_entry& departure) {
  const temp_folder folder;
  auto entries = journal::open(folder.path());
  REQUIRE(entries);
  REQUIRE(entries->write(departure));
  REQUIRE(close_departures(
      *entries,
      entry_of(journal_role::destination, web1, journal_state::running, beta)));
  return entries->read(departure.id, journal_role::source).value()->state;
}

journal_state left(const std::string& uuid,
                   journal_state state,
                   const std::string& peer_key) {
  return after_arrival(entry_of(journal_role::source, uuid, state, peer_key));
}

}  // namespace

TEST_CASE("a guest that is here again has left for good nowhere", "[arrival]") {
  CHECK(left(web1, journal_state::moved, beta) == journal_state::cleared);
  CHECK(left(web1, journal_state::moved, gamma) == journal_state::cleared);
  CHECK(left(web1, journal_state::go, beta) == journal_state::cleared);
}

TEST_CASE("whoever else may have got GO is still to be asked", "[arrival]") {
  CHECK(left(web1, journal_state::go, gamma) == journal_state::go);
}

TEST_CASE("other entries stay as they are", "[arrival]") {
  CHECK(left(web2, journal_state::moved, beta) == journal_state::moved);
  CHECK(left(web1, journal_state::moving, beta) == journal_state::moving);
  CHECK(left(web1, journal_state::home, beta) == journal_state::home);
}

}  // namespace teleport
