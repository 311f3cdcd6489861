// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/connection_test.cpp: two connections over TLS on loopback, in one
// loop: what is said last arrives, and who is unknown is told so.

#include "libteleport/net/connection.hpp"

#include <cstddef>
#include <memory>
#include <vector>

#include <catch2/catch.hpp>

#include "test/support/two_ends.hpp"

using namespace teleport;

TEST_CASE("the last record arrives though much was left unread", "[net]") {
  const paired_hosts hosts;
  linked_ends ends(hosts);
  connection& source = ***ends.source;
  connection& destination = ***ends.destination;

  std::vector<record_type> heard;
  source.start({[&](const raw_record& record) { heard.push_back(record.type); },
                nullptr,
                nullptr});
  destination.start({[&](const raw_record&) {
                       destination.pause();
                       destination.send(record_type::fail, {});
                       // Once it is done, the peer has all of it.
                       destination.finish([&] { ends.loop.stop(); });
                     },
                     nullptr,
                     nullptr});
  const byte_buffer body(1_MiB);
  for (int i = 0; i < 16; ++i) {
    source.send(record_type::extent_data, body);
  }
  ends.loop.run();
  CHECK(heard == std::vector<record_type>{record_type::fail});
}

TEST_CASE("a connection that finishes is closed when the peer vanishes",
          "[net]") {
  const paired_hosts hosts;
  linked_ends ends(hosts);
  (**ends.source)->start({});
  (**ends.source)->send(record_type::go, {});
  (**ends.source)->finish([&] { ends.loop.stop(); });
  (**ends.destination)->close();
  ends.loop.run();  // returns: that is the test
  bool again = false;
  (**ends.source)->finish([&] {
    again = true;
    ends.loop.stop();
  });
  ends.loop.run();
  CHECK(again);
}

TEST_CASE("a source that the destination does not know is told so", "[net]") {
  two_hosts hosts;
  hosts.pair_source();
  two_ends ends(hosts);
  REQUIRE(*ends.source);
  REQUIRE_FALSE(*ends.destination);
  CHECK(ends.destination->error().code == errc::not_paired);
}

TEST_CASE("a destination that is not paired is not talked to", "[net]") {
  two_hosts hosts;
  hosts.pair_destination();
  two_ends ends(hosts);
  REQUIRE_FALSE(*ends.source);
  CHECK(ends.source->error().code == errc::not_paired);
}

TEST_CASE("nothing is delivered from inside resume()", "[net]") {
  const paired_hosts hosts;
  linked_ends ends(hosts);
  connection& destination = ***ends.destination;
  int heard = 0;
  int heard_inside = 0;
  destination.start({[&](const raw_record&) {
                       if (++heard > 1) {
                         ends.loop.stop();
                         return;
                       }
                       destination.pause();
                       ends.loop.post([&] {
                         destination.resume();
                         heard_inside = heard;
                       });
                     },
                     nullptr,
                     nullptr});
  (**ends.source)->start({});
  // Together, so that the second is here when the first is heard.
  (**ends.source)->send(record_type::go, {});
  (**ends.source)->send(record_type::go, {});
  ends.loop.run();
  CHECK(heard == 2);
  CHECK(heard_inside == 1);
}
