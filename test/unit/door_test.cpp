// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/door_test.cpp: strangers cost those who are paired nothing, and of
// those no host has all.

#include "tools/listen/door.hpp"

#include <string>
#include <vector>

#include "libteleport/base/rare_words.hpp"
#include "test/support/catch.hpp"
#include "tools/teleportd/session_places.hpp"

namespace teleport {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const door::time_point start{seconds(1000)};

/// Their process limits aside.
door::limits patient() {
  door::limits all;
  all.burst = 1e6;
  all.strangers = 32;
  all.strangers_of_address = 4;
  return all;
}

}  // namespace

TEST_CASE("idle connections of one address have four places", "[door]") {
  door at{patient()};
  std::vector<door::visitor> dropped;
  for (int i = 0; i < 16; ++i) {
    const auto came = at.on_arrival("10.0.0.9", start);
    REQUIRE(came.number);
    dropped.insert(dropped.end(), came.dropped.begin(), came.dropped.end());
  }
  CHECK(at.strangers() == 4);
  CHECK(dropped ==
        std::vector<door::visitor>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
}

TEST_CASE("a stranger too many takes the oldest's place", "[door]") {
  door at{patient()};
  for (int i = 0; i < 32; ++i) {
    CHECK(at.on_arrival("10.0.0." + std::to_string(i), start).dropped.empty());
  }
  const auto came = at.on_arrival("10.0.1.1", start);
  CHECK(came.number);
  CHECK(came.dropped == std::vector<door::visitor>{1});
  CHECK(at.strangers() == 32);
  at.on_known(1);  // it was dropped before that
  CHECK(at.strangers() == 32);
}

TEST_CASE("a paired host takes no stranger's place, nor they its", "[door]") {
  door at{patient()};
  const auto honest = at.on_arrival("10.0.0.1", start);
  at.on_known(*honest.number);
  CHECK(at.strangers() == 0);
  for (int i = 0; i < 100; ++i) {
    for (const door::visitor gone :
         at.on_arrival("10.0.0." + std::to_string(i), start).dropped) {
      CHECK(gone != *honest.number);
    }
  }
}

TEST_CASE("no host has all transfers, and a question has a place", "[door]") {
  session_places at;
  session_places::visitor next = 0;
  const auto visit = [&](const char* key) { return at.on_paired(++next, key); };
  for (int i = 0; i < 8; ++i) {
    CHECK(visit("a") == permit::transfer);
  }
  CHECK(visit("a") == permit::ask);
  for (int i = 0; i < 8; ++i) {
    CHECK(visit("b") == permit::transfer);
  }
  CHECK(visit("c") == permit::ask);
  for (int i = 0; i < 6; ++i) {
    CHECK(visit("a") == permit::ask);
  }
  CHECK(visit("a") == permit::none);
  at.on_gone(1);
  CHECK(visit("c") == permit::transfer);
}

TEST_CASE("connections of one address are bounded, and others go on",
          "[door]") {
  door at;
  int let_in = 0;
  for (int i = 0; i < 100; ++i) {
    let_in += at.on_arrival("::ffff:10.0.0.9", start).number ? 1 : 0;
  }
  CHECK(let_in == 32);
  CHECK(at.on_arrival("10.0.0.8", start).number);
  CHECK_FALSE(at.on_arrival("10.0.0.9", start + milliseconds(200)).number);
  CHECK(at.on_arrival("10.0.0.9", start + milliseconds(500)).number);
}

TEST_CASE("what a door remembers of addresses is bounded", "[door]") {
  door at;
  for (int i = 0; i < 5000; ++i) {
    (void)at.on_arrival("2001:db8:0:" + std::to_string(i % 9999) + "::1",
                        start + milliseconds(i));
  }
  CHECK(at.strangers() == 48);
}

TEST_CASE("an address of the same network of 64 bits is the same place",
          "[door]") {
  CHECK(place_of("::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(place_of("192.0.2.1") == "192.0.2.1");
  CHECK(place_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(place_of("fe80::1%eth0") == "fe80::/64");
}

TEST_CASE("a sentence about strangers is said once a minute", "[door]") {
  rare_words words;
  CHECK(words.say("first", start) == "first");
  CHECK_FALSE(words.say("second", start + seconds(1)));
  CHECK_FALSE(words.say("third", start + seconds(59)));
  CHECK(words.say("fourth", start + seconds(60)) ==
        "fourth (2 more of such kind before)");
  CHECK(words.say("fifth", start + seconds(120)) == "fifth");
}

TEST_CASE("a paired host may come as often as it likes", "[door]") {
  door at;
  for (int i = 0; i < 1000; ++i) {
    const auto came = at.on_arrival("10.0.0.1", start);
    REQUIRE(came.number);
    at.on_known(*came.number);
    at.on_gone(*came.number);
  }
}

TEST_CASE("a limited host has no more transfers than its file says", "[door]") {
  session_places at;
  session_places::visitor next = 0;
  const auto come = [&](const std::string& key, std::size_t most) {
    return at.on_paired(++next, key, most);
  };
  CHECK(come("limited", 2) == permit::transfer);
  CHECK(come("limited", 2) == permit::transfer);
  CHECK(come("limited", 2) == permit::ask);
  CHECK(come("other", 1) == permit::transfer);
  for (int i = 1; i < 8; ++i) {
    CHECK(come("limited", 1000) == (i < 7 ? permit::transfer : permit::ask));
  }
}

}  // namespace teleport
