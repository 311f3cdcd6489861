// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/expected_peer_test.cpp: a host answers with its own key; that of
// another host that is paired, too, will not do.

#include <string>

#include "libteleport/net/connection.hpp"
#include "libteleport/net/identity.hpp"
#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"
#include "test/support/two_ends.hpp"

namespace teleport {
namespace {

/// The destination is paired with the source as "evil"; the host that is
/// paired as "127.0.0.1", where the destination answers, is another.
class hosts_in_disguise : public two_hosts {
 public:
  hosts_in_disguise() {
    pair_destination();
    const key_files honest = pair_another("honest");
    REQUIRE(pin_peer(source.peers, "127.0.0.1", pem_of(honest)));
    REQUIRE(pin_peer(source.peers, "evil", pem_of(destination)));
  }
};

}  // namespace

TEST_CASE("another paired host does not pass for the one that was asked for",
          "[net]") {
  hosts_in_disguise hosts;
  const two_ends ends(hosts);
  REQUIRE(ends.source_link);
  REQUIRE_FALSE(*ends.source_link);
  const error& refused = ends.source_link->error();
  CHECK(refused.code == errc::not_paired);
  CHECK(refused.context.find("127.0.0.1 answered with the key of evil") !=
        std::string::npos);
}

TEST_CASE("an alias says under which name a host is paired", "[net]") {
  hosts_in_disguise hosts;
  hosts.source.aliases["127.0.0.1"] = "Evil";
  const two_ends ends(hosts);
  REQUIRE(ends.source_link);
  CHECK(*ends.source_link);
}

TEST_CASE("a host that is paired under two names answers under both", "[net]") {
  hosts_in_disguise hosts;
  REQUIRE(pin_peer(
      hosts.source.peers, "127.0.0.1", two_hosts::pem_of(hosts.destination)));
  const two_ends ends(hosts);
  REQUIRE(ends.source_link);
  CHECK(*ends.source_link);
}

}  // namespace teleport
