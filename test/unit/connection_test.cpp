// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/connection_test.cpp: two connections over TLS on loopback, in one
// loop: what is said last arrives, and who is unknown is told so.

#include "libteleport/net/connection.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/identity.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

using namespace teleport;

namespace {

/// The keys of two hosts, and whom each knows.
class two_hosts {
 public:
  two_hosts() {
    REQUIRE(make_identity(source, "source"));
    REQUIRE(make_identity(destination, "destination"));
  }
  void pair_source() const {
    REQUIRE(pin_peer(source.peers, "127.0.0.1", pem_of(destination)));
  }
  void pair_destination() const {
    REQUIRE(pin_peer(destination.peers, "source", pem_of(source)));
  }

 private:
  [[nodiscard]] key_files files(const std::string& name) const {
    const std::string base = folder_ / name;
    return {base + ".crt", base + ".key", base + ".peers"};
  }
  static std::string pem_of(const key_files& keys) {
    const auto text = read_small_file(keys.certificate, 64_KiB);
    REQUIRE(text);
    return *text;
  }
  temp_folder folder_;

 public:
  key_files source = files("source");
  key_files destination = files("destination");
};

/// Each knows the other.
class paired_hosts : public two_hosts {
 public:
  paired_hosts() {
    pair_source();
    pair_destination();
  }
};

class two_ends {
 public:
  using link = std::shared_ptr<connection>;

  explicit two_ends(const two_hosts& hosts) {
    const unique_fd door(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof here;
    auto* address = reinterpret_cast<sockaddr*>(&here);
    REQUIRE(::bind(door.get(), address, length) == 0);
    REQUIRE(::listen(door.get(), 1) == 0);
    REQUIRE(::getsockname(door.get(), address, &length) == 0);
    connection::connect(
        loop,
        hosts.source,
        "127.0.0.1",
        ntohs(here.sin_port),
        [this](result<link> ready) { on_ready(source, std::move(ready)); });
    loop.work([&door] { return ::accept(door.get(), nullptr, nullptr); },
              [this, &hosts](int socket) {
                connection::accept(loop,
                                   hosts.destination,
                                   unique_fd(socket),
                                   [this](result<link> ready) {
                                     on_ready(destination, std::move(ready));
                                   });
              });
    loop.run();
  }
  two_ends(const two_ends&) = delete;
  two_ends& operator=(const two_ends&) = delete;
  two_ends(two_ends&&) = delete;
  two_ends& operator=(two_ends&&) = delete;
  ~two_ends() { loop.join(); }

  event_loop loop{1};
  std::optional<result<link>> source;
  std::optional<result<link>> destination;

 private:
  void on_ready(std::optional<result<link>>& end, result<link> ready) {
    end = std::move(ready);
    if (source && destination) {
      loop.stop();
    }
  }
};

}  // namespace

TEST_CASE("the last record arrives though much was left unread", "[net]") {
  const paired_hosts hosts;
  two_ends ends(hosts);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
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
  two_ends ends(hosts);
  REQUIRE(*ends.source);
  REQUIRE(*ends.destination);
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
