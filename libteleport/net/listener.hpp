// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/listener.hpp: accepts TCP connections, and nothing more: each
// is handed on as a bare socket to a process of its own.
//
// Threads: the loop's thread alone.

#ifndef LIBTELEPORT_NET_LISTENER_HPP
#define LIBTELEPORT_NET_LISTENER_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/event_loop.hpp"

namespace teleport {

class listener {
 public:
  using accepted = std::function<void(unique_fd socket, std::string address)>;

  /// @param address  an IPv4 or IPv6 address; "::" takes both kinds, and IPv4
  ///                 alone on a kernel without IPv6
  /// @error errc::system when the port is taken
  [[nodiscard]] static result<std::unique_ptr<listener>> open(
      event_loop& loop,
      const std::string& address,
      std::uint16_t port,
      accepted on_accept);

  listener(event_loop& loop, accepted on_accept)
      : loop_(loop),
        acceptor_(loop.context()),
        on_accept_(std::move(on_accept)) {}

 private:
  void accept();

  event_loop& loop_;
  boost::asio::ip::tcp::acceptor acceptor_;
  accepted on_accept_;
  timer retry_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LISTENER_HPP
