// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/tls_test.cpp: TLS 1.3 and nothing older, at both ends.

#include <memory>
#include <optional>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>

#include "libteleport/net/lane.hpp"
#include "libteleport/net/tls_context.hpp"
#include "test/support/catch.hpp"
#include "test/support/loopback.hpp"
#include "test/support/two_ends.hpp"

using namespace teleport;

namespace net = boost::asio;

namespace {

using tls_stream = net::ssl::stream<net::ip::tcp::socket>;

/// A peer with a paired key that speaks one version of TLS alone.
class one_version_peer {
 public:
  one_version_peer(event_loop& loop,
                   const key_files& keys,
                   net::ssl::context::method side,
                   int version)
      : context_(*make_tls_context(keys, side)),
        stream(loop.context(), *context_) {
    SSL_set_min_proto_version(stream.native_handle(), version);
    SSL_set_max_proto_version(stream.native_handle(), version);
  }

 private:
  std::shared_ptr<net::ssl::context> context_;

 public:
  tls_stream stream;
};

}  // namespace

TEST_CASE("a source that speaks TLS 1.2 is refused, one with 1.3 is not",
          "[net]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const paired_hosts hosts;
  event_loop loop(1);
  listening_socket listening;
  one_version_peer source(
      loop, hosts.source, net::ssl::context::tls_client, version);
  std::optional<result<std::shared_ptr<lane>>> destination;
  loop.work([&] { return listening.accept().release(); },
            [&](int socket) {
              lane::accept(loop,
                           {hosts.destination, {}},
                           unique_fd(socket),
                           [&](result<std::shared_ptr<lane>> made) {
                             destination = std::move(made);
                             loop.stop();
                           });
            });
  source.stream.next_layer().connect(
      {net::ip::address_v4::loopback(), listening.port()});
  source.stream.async_handshake(net::ssl::stream_base::client,
                                [](const boost::system::error_code&) {});
  loop.run();
  REQUIRE(destination);
  CHECK(destination->has_value() == (version == TLS1_3_VERSION));
}

TEST_CASE("a destination that speaks TLS 1.2 is refused, one with 1.3 is not",
          "[net]") {
  const int version = GENERATE(TLS1_2_VERSION, TLS1_3_VERSION);
  const paired_hosts hosts;
  event_loop loop(1);
  listening_socket listening;
  one_version_peer destination(
      loop, hosts.destination, net::ssl::context::tls_server, version);
  loop.work([&] { return listening.accept().release(); },
            [&](int socket) {
              destination.stream.next_layer().assign(net::ip::tcp::v4(),
                                                     socket);
              destination.stream.async_handshake(
                  net::ssl::stream_base::server,
                  [](const boost::system::error_code&) {});
            });
  std::optional<result<std::shared_ptr<lane>>> source;
  lane::connect(loop,
                {hosts.source, {}},
                "127.0.0.1",
                listening.port(),
                [&](result<std::shared_ptr<lane>> made) {
                  source = std::move(made);
                  loop.stop();
                });
  loop.run();
  REQUIRE(source);
  CHECK(source->has_value() == (version == TLS1_3_VERSION));
}
