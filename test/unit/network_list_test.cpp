// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/network_list_test.cpp: which addresses are in which networks.

#include "libteleport/net/network_list.hpp"

#include <initializer_list>

#include "test/support/catch.hpp"
#include "test/support/print_error.hpp"

namespace teleport {
namespace {

network_list list_of(std::initializer_list<const char*> networks) {
  network_list list;
  for (const char* network : networks) {
    REQUIRE(list.add(network));
  }
  return list;
}

}  // namespace

TEST_CASE("an address is let in by the networks that are listed", "[net]") {
  const network_list list = list_of({"10.0.0.0/8", "192.168.7.5", "fd00::/8"});
  for (const char* inside : {"10.0.0.0",
                             "10.255.255.255",
                             "192.168.7.5",
                             "fd00::1",
                             "fdff::1%eth0"}) {
    CAPTURE(inside);
    CHECK(list.contains(inside));
  }
  for (const char* outside : {"9.255.255.255",
                              "11.0.0.0",
                              "192.168.7.4",
                              "fc00::1",
                              "fe00::1",
                              "::1",
                              "",
                              "host"}) {
    CAPTURE(outside);
    CHECK_FALSE(list.contains(outside));
  }
}

TEST_CASE("an IPv4 address that is written as IPv6 is IPv4", "[net]") {
  CHECK(list_of({"10.0.0.0/8"}).contains("::ffff:10.1.2.3"));
  CHECK_FALSE(list_of({"10.0.0.0/8"}).contains("::ffff:11.1.2.3"));
  CHECK(list_of({"::ffff:10.0.0.0/104"}).contains("10.1.2.3"));
  CHECK_FALSE(list_of({"::ffff:10.0.0.0/104"}).contains("11.1.2.3"));
  // All of IPv6 is none of IPv4, and the reverse.
  CHECK_FALSE(list_of({"::/0"}).contains("::ffff:10.1.2.3"));
  CHECK_FALSE(list_of({"::/0"}).contains("10.1.2.3"));
  CHECK(list_of({"::/0"}).contains("2001:db8::1"));
  CHECK_FALSE(list_of({"0.0.0.0/0"}).contains("::1"));
  CHECK(list_of({"0.0.0.0/0"}).contains("::ffff:1.2.3.4"));
}

TEST_CASE("a list to which nothing was added has every address", "[net]") {
  CHECK(network_list().contains("10.1.2.3"));
  CHECK(network_list().contains("fe80::1%eth0"));
}

TEST_CASE("a link-local address is let in whatever its link", "[net]") {
  CHECK(list_of({"fe80::/10"}).contains("fe80::1%lo"));
}

TEST_CASE("what is no network is refused", "[net]") {
  for (const char* wrong : {"",
                            "/8",
                            "10.0.0.0/",
                            "10.0.0.0/33",
                            "10.0.0.0/-1",
                            "10.0.0.0/+8",
                            "10.0.0.0/8 ",
                            " 10.0.0.0/8",
                            "10.0.0.0/8/8",
                            "10/8",
                            "10.0.0/8",
                            "10.0.0.1/8",
                            "fd00::/129",
                            "fd00::1/8",
                            "fe80::1%eth0/64",
                            "::ffff:10.0.0.0/8",
                            "host",
                            "any"}) {
    CAPTURE(wrong);
    network_list list;
    const auto added = list.add(wrong);
    REQUIRE_FALSE(added);
    CHECK(added.error().code == errc::bad_input);
    CHECK(list.contains("10.0.0.1"));
  }
}

}  // namespace teleport
