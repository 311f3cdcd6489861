// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/two_ends.hpp: a source and a destination over TLS on loopback,
// in one loop, with a door as teleportd's.

#ifndef TEST_SUPPORT_TWO_ENDS_HPP
#define TEST_SUPPORT_TWO_ENDS_HPP

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/lane_door.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

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
  void part_destination() const {
    REQUIRE(unpin_peer(destination.peers, "source"));
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

/// A source and a destination with a door as teleportd's, by which further
/// connections come in.
class two_ends {
 public:
  using link = std::shared_ptr<connection>;

  explicit two_ends(const two_hosts& hosts, unsigned connections = 1)
      : hosts_(hosts) {
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof here;
    auto* address = reinterpret_cast<sockaddr*>(&here);
    REQUIRE(::bind(door_.get(), address, length) == 0);
    REQUIRE(::listen(door_.get(), SOMAXCONN) == 0);
    REQUIRE(::getsockname(door_.get(), address, &length) == 0);
    port = ntohs(here.sin_port);
    accept_next();
    connection::connect(
        loop,
        {hosts.source, {"", connections}},
        "127.0.0.1",
        port,
        [this](result<link> ready) { on_ready(source, std::move(ready)); });
    loop.run();
  }
  two_ends(const two_ends&) = delete;
  two_ends& operator=(const two_ends&) = delete;
  two_ends(two_ends&&) = delete;
  two_ends& operator=(two_ends&&) = delete;
  ~two_ends() {
    ::shutdown(door_.get(), SHUT_RDWR);
    loop.join();
  }

  event_loop loop{1};
  std::uint16_t port = 0;
  std::optional<result<link>> source;
  std::optional<result<link>> destination;
  temp_folder run_path;

 private:
  void accept_next() {
    loop.work(
        [this] {
          unique_fd came(::accept(door_.get(), nullptr, nullptr));
          if (came) {
            const auto given = hand_over_to_link(came.get(), run_path.path());
            if (!given || *given) {
              came.reset();
            }
          }
          return came.release();
        },
        [this](int socket) {
          if (socket >= 0) {
            connection::accept(loop,
                               {hosts_.destination, {}},
                               unique_fd(socket),
                               [this](result<link> ready) {
                                 on_ready(destination, std::move(ready));
                               });
          }
          accept_next();
        });
  }
  void on_ready(std::optional<result<link>>& end, result<link> ready) {
    end = std::move(ready);
    if (source && destination) {
      loop.stop();
    }
  }

  const two_hosts& hosts_;
  unique_fd door_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
};

/// The same, where both have let each other in.
class linked_ends : public two_ends {
 public:
  explicit linked_ends(const two_hosts& hosts, unsigned connections = 1)
      : two_ends(hosts, connections) {
    REQUIRE(*source);
    REQUIRE(*destination);
  }
};

}  // namespace teleport

#endif  // TEST_SUPPORT_TWO_ENDS_HPP
