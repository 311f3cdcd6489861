// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/two_ends.hpp: a source and a destination over TLS on loopback,
// in one loop; the destination listens as teleport-listen does.

#ifndef TEST_SUPPORT_TWO_ENDS_HPP
#define TEST_SUPPORT_TWO_ENDS_HPP

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/packet.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/lane_inbox.hpp"
#include "test/support/catch.hpp"
#include "test/support/loopback.hpp"
#include "test/support/print_error.hpp"
#include "test/support/temp_folder.hpp"

namespace teleport {

/// The keys of hosts, and whom each knows.
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
  /// Another host; the destination and it know each other.
  [[nodiscard]] key_files pair_another(const std::string& name) const {
    const key_files other = files(name);
    REQUIRE(make_identity(other, name));
    REQUIRE(pin_peer(destination.peers, name, pem_of(other)));
    REQUIRE(pin_peer(other.peers, "127.0.0.1", pem_of(destination)));
    return other;
  }
  [[nodiscard]] static std::string pem_of(const key_files& keys) {
    const auto text = read_small_file(keys.certificate, 64_KiB);
    REQUIRE(text);
    return *text;
  }

 private:
  [[nodiscard]] key_files files(const std::string& name) const {
    const std::string base = folder_ / name;
    return {base + ".crt", base + ".key", base + ".peers"};
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

/// A source and a destination that listens as teleport-listen does: further
/// connections reach it, too.
class two_ends {
 public:
  using link = std::shared_ptr<connection>;
  /// Events end a test; no machine is too slow for it.
  static constexpr std::chrono::hours no_limit{1};

  explicit two_ends(const two_hosts& hosts, unsigned connections = 1)
      : hosts_(hosts) {
    accept_next();
    connection::connect(loop,
                        {hosts.source, {"", connections}, no_limit},
                        "127.0.0.1",
                        port(),
                        [this](result<link> ready) {
                          on_ready(source_link, std::move(ready));
                        });
    loop.run();
  }
  two_ends(const two_ends&) = delete;
  two_ends& operator=(const two_ends&) = delete;
  two_ends(two_ends&&) = delete;
  two_ends& operator=(two_ends&&) = delete;
  ~two_ends() {
    listening_.close();
    loop.join();
  }

  event_loop loop{1};
  [[nodiscard]] std::uint16_t port() const { return listening_.port(); }
  /// What came of connecting, at either end.
  std::optional<result<link>> source_link;
  std::optional<result<link>> destination_link;

  /// Where sockets of further connections arrive.
  [[nodiscard]] std::unique_ptr<lane_inbox> inbox() {
    return std::make_unique<lane_inbox>(loop, std::move(inbox_.other));
  }
  /// One that nobody listens for.
  [[nodiscard]] std::unique_ptr<lane_inbox> dead_inbox() {
    inbox_.one.reset();
    return inbox();
  }

  /// @pre it has a connection
  [[nodiscard]] connection& source() const { return ***source_link; }
  [[nodiscard]] connection& destination() const { return ***destination_link; }

 private:
  void accept_next() {
    loop.work(
        [this] {
          unique_fd came = listening_.accept();
          std::array<char, preamble_bytes> bytes{};
          const std::string_view beginning(bytes.data(), bytes.size());
          (void)::recv(
              came.get(), bytes.data(), bytes.size(), MSG_PEEK | MSG_WAITALL);
          if (came && decode_preamble(as_bytes(beginning))) {
            (void)::recv(came.get(), bytes.data(), bytes.size(), 0);
            (void)pass_lane(inbox_.one.get(), came.get());
            came.reset();
          }
          return came.release();
        },
        [this](int socket) {
          if (socket >= 0) {
            connection::accept(loop,
                               {hosts_.destination, {}, no_limit},
                               unique_fd(socket),
                               [this](result<link> ready) {
                                 on_ready(destination_link, std::move(ready));
                               });
          }
          accept_next();
        });
  }
  void on_ready(std::optional<result<link>>& end, result<link> ready) {
    end = std::move(ready);
    if (source_link && destination_link) {
      loop.stop();
    }
  }

  static socket_ends packets() {
    auto made = connected_sockets(SOCK_SEQPACKET);
    REQUIRE(made);
    return std::move(*made);
  }

  const two_hosts& hosts_;
  socket_ends inbox_ = packets();
  listening_socket listening_;
};

/// The same, where both have let each other in.
class linked_ends : public two_ends {
 public:
  explicit linked_ends(const two_hosts& hosts, unsigned connections = 1)
      : two_ends(hosts, connections) {
    REQUIRE(*source_link);
    REQUIRE(*destination_link);
  }

  /// Starts both ends; the source asks for its lanes and says a first record.
  void start_wide(connection::handlers at_source,
                  connection::handlers at_destination) {
    destination().allow_lanes(inbox());
    destination().start(std::move(at_destination));
    source().start(std::move(at_source));
    source().widen();
    source().send(record_type::hello, {});
  }
};

}  // namespace teleport

#endif  // TEST_SUPPORT_TWO_ENDS_HPP
