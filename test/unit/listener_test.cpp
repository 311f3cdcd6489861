// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/listener_test.cpp: where it listens, on every kind of kernel.

#include "libteleport/net/listener.hpp"

#include <cstdint>
#include <string>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "libteleport/net/event_loop.hpp"
#include "test/support/catch.hpp"
#include "test/support/loopback.hpp"
#include "test/support/no_ipv6.hpp"
#include "test/support/print_error.hpp"

using namespace teleport;
using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

namespace {

std::uint16_t free_port() {
  const listening_socket gone;
  return gone.port();
}

/// Whether somebody listens there.
bool answers(event_loop& loop, const std::string& address, std::uint16_t port) {
  tcp::socket caller(loop.context());
  boost::system::error_code failure;
  caller.connect({make_address(address), port}, failure);
  return !failure;
}

}  // namespace

TEST_CASE("a listener on :: is reached by IPv4 and IPv6", "[net]") {
  event_loop loop(1);
  const std::uint16_t port = free_port();
  const auto opened = listen_at("::", port, "");
  REQUIRE(opened);
  CHECK(answers(loop, "127.0.0.1", port));
  CHECK(answers(loop, "::1", port));
}

TEST_CASE("a listener on :: is reached by IPv4 on a kernel without IPv6",
          "[net]") {
  test::without_ipv6([] {
    event_loop loop(1);
    const std::uint16_t port = free_port();
    const auto opened = listen_at("::", port, "");
    REQUIRE(opened);
    CHECK(answers(loop, "127.0.0.1", port));
    // One that was named is not there, and nothing else is meant.
    const auto named = listen_at("::1", port, "");
    REQUIRE_FALSE(named);
    CHECK(named.error().context.find("Address family not supported") !=
          std::string::npos);
  });
}

TEST_CASE("who connects is told by its address, and a taken port by its kind",
          "[net]") {
  const std::uint16_t port = free_port();
  const auto opened = listen_at("127.0.0.1", port, "");
  REQUIRE(opened);
  const auto none = accept_next(opened->get());
  REQUIRE_FALSE(none);
  CHECK(none.error().code == errc::timeout);
  const auto taken = listen_at("127.0.0.1", port, "");
  REQUIRE_FALSE(taken);
  CHECK(taken.error().code == errc::busy);
  CHECK_FALSE(listen_at("host2", port, ""));
}
