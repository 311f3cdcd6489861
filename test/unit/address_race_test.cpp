// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/address_race_test.cpp: a host of several addresses is reached at
// one that answers, whatever the others do.

#include "libteleport/net/address_race.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "test/support/catch.hpp"
#include "test/support/loopback.hpp"
#include "test/support/no_ipv6.hpp"
#include "test/support/print_error.hpp"

using namespace teleport;
using boost::asio::ip::make_address;
using boost::asio::ip::tcp;

namespace {

/// Longer than any attempt may take on a busy machine, in seconds.
constexpr std::chrono::seconds far_off{60};

tcp::endpoint at(const std::string& address, std::uint16_t port) {
  return {make_address(address), port};
}

/// What the race ends with; it gives up once `patience` is over.
result<std::string> reached(const std::vector<tcp::endpoint>& addresses,
                            std::chrono::milliseconds delay,
                            std::chrono::milliseconds patience = far_off) {
  event_loop loop(1);
  std::optional<result<std::string>> outcome;
  const auto race = std::make_shared<address_race>(loop, delay);
  const timer limit = loop.after(patience, [&race] { race->give_up(); });
  race->begin(addresses, [&](const result<tcp::socket>& connected) {
    outcome = connected
                  ? result<std::string>(
                        connected->remote_endpoint().address().to_string())
                  : result<std::string>(connected.error());
    loop.stop();
  });
  CHECK_FALSE(outcome);  // never from inside the call
  loop.run();
  return *outcome;
}

/// Answers nobody: its queue is full, and Linux drops what else comes.
class dead_address {
 public:
  dead_address() : socket_(0) {
    for (int i = 0; i < 4; ++i) {
      waiting_.push_back(socket_.connect());
    }
  }
  [[nodiscard]] tcp::endpoint address() const {
    return at("127.0.0.1", socket_.port());
  }

 private:
  listening_socket socket_;
  std::vector<unique_fd> waiting_;
};

}  // namespace

TEST_CASE("addresses of both kinds are tried in turn", "[net]") {
  const auto mixed = in_turn({at("fd00::1", 1),
                              at("fd00::2", 1),
                              at("fd00::3", 1),
                              at("10.0.0.1", 1),
                              at("10.0.0.2", 1)});
  CHECK(mixed == std::vector{at("fd00::1", 1),
                             at("10.0.0.1", 1),
                             at("fd00::2", 1),
                             at("10.0.0.2", 1),
                             at("fd00::3", 1)});
  CHECK(in_turn({at("10.0.0.1", 1), at("fd00::1", 1), at("10.0.0.2", 1)}) ==
        std::vector{at("10.0.0.1", 1), at("fd00::1", 1), at("10.0.0.2", 1)});
}

TEST_CASE("an address that does not answer holds up no other one", "[net]") {
  const dead_address dead;
  const listening_socket alive;
  const auto where = reached({dead.address(), at("127.0.0.1", alive.port())},
                             std::chrono::milliseconds(1));
  REQUIRE(where);
}

TEST_CASE("an address that refuses holds up the next one not at all", "[net]") {
  std::uint16_t closed = 0;
  {
    const listening_socket gone;
    closed = gone.port();
  }
  const listening_socket alive;
  // The next one by the clock would be later than this test may be.
  const auto where =
      reached({at("127.0.0.1", closed), at("127.0.0.1", alive.port())},
              std::chrono::hours(1));
  REQUIRE(where);
  CHECK(*where == "127.0.0.1");
}

TEST_CASE("a host with both kinds of address is reached without IPv6 here",
          "[net]") {
  const listening_socket alive;
  test::without_ipv6([&alive] {
    const auto where =
        reached({at("::1", alive.port()), at("127.0.0.1", alive.port())},
                std::chrono::hours(1));
    REQUIRE(where);
    CHECK(*where == "127.0.0.1");
    const auto nowhere =
        reached({at("::1", alive.port())}, std::chrono::hours(1));
    REQUIRE_FALSE(nowhere);
    CHECK(nowhere.error().context ==
          "::1: Address family not supported by protocol");
  });
}

TEST_CASE("who reaches no address is told what each of them did", "[net]") {
  std::uint16_t closed = 0;
  {
    const listening_socket gone;
    closed = gone.port();
  }
  const auto refused =
      reached({at("127.0.0.2", closed), at("127.0.0.3", closed)},
              std::chrono::hours(1));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == errc::peer_lost);
  CHECK(refused.error().context ==
        "127.0.0.2: Connection refused, 127.0.0.3: Connection refused");

  const dead_address dead;
  const auto waited = reached({at("127.0.0.2", closed), dead.address()},
                              std::chrono::milliseconds(1),
                              std::chrono::milliseconds(20));
  REQUIRE_FALSE(waited);
  CHECK(waited.error().context ==
        "127.0.0.2: Connection refused, 127.0.0.1: no answer in time");
}
