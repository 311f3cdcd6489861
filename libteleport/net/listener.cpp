// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/listener.hpp"

#include <boost/asio/ip/v6_only.hpp>
#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/net/socket_tuning.hpp"

namespace teleport {

namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

/// After a failed accept (no descriptors left), wait before the next.
constexpr std::chrono::milliseconds retry_delay{500};

}  // namespace

result<std::unique_ptr<listener>> listener::open(event_loop& loop,
                                                 const std::string& address,
                                                 std::uint16_t port,
                                                 accepted on_accept) {
  error_code failure;
  const auto parsed = boost::asio::ip::make_address(address, failure);
  if (failure) {
    return error(
        errc::bad_input,
        fmt::format("'{}' is not an IP address to listen on", address));
  }
  auto self = std::make_unique<listener>(loop, std::move(on_accept));
  tcp::endpoint endpoint(parsed, port);
  tcp::acceptor& acceptor = self->acceptor_;
  acceptor.open(endpoint.protocol(), failure);
  // A kernel without IPv6 (ipv6.disable=1): all of its addresses are IPv4's.
  if (failure == boost::asio::error::address_family_not_supported &&
      parsed.is_unspecified()) {
    endpoint.address(boost::asio::ip::address_v4::any());
    acceptor.open(endpoint.protocol(), failure);
  }
  if (!failure && endpoint.protocol() == tcp::v6()) {
    acceptor.set_option(boost::asio::ip::v6_only(false), failure);
  }
  if (!failure) {
    acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
  }
  if (!failure) {
    acceptor.bind(endpoint, failure);
  }
  if (!failure) {
    tune_listener(acceptor.native_handle());
    acceptor.listen(boost::asio::socket_base::max_listen_connections, failure);
  }
  if (failure) {
    return error(errc::system,
                 fmt::format("cannot listen on {} port {}: {}",
                             address,
                             port,
                             failure.message()));
  }
  self->accept();
  return self;
}

void listener::accept() {
  acceptor_.async_accept([this](const error_code& failure, tcp::socket socket) {
    if (failure == boost::asio::error::operation_aborted) {
      return;
    }
    if (failure) {
      log_warning("accept: " + failure.message());
      retry_ = loop_.after(retry_delay, [this] { accept(); });
      return;
    }
    error_code ignored;
    const auto peer = socket.remote_endpoint(ignored);
    on_accept_(unique_fd(socket.release(ignored)), peer.address().to_string());
    accept();
  });
}

}  // namespace teleport
