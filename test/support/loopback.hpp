// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/loopback.hpp: a TCP socket that listens on loopback.

#ifndef TEST_SUPPORT_LOOPBACK_HPP
#define TEST_SUPPORT_LOOPBACK_HPP

#include <cstdint>

#include <netinet/in.h>
#include <sys/socket.h>

#include "libteleport/base/unique_fd.hpp"
#include "test/support/catch.hpp"

namespace teleport {

class listening_socket {
 public:
  /// @param queue  as listen(2) has it
  explicit listening_socket(int queue = SOMAXCONN) {
    here_.sin_family = AF_INET;
    here_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof here_;
    REQUIRE(::bind(socket_.get(), address(), length) == 0);
    REQUIRE(::listen(socket_.get(), queue) == 0);
    REQUIRE(::getsockname(socket_.get(), address(), &length) == 0);
  }

  [[nodiscard]] std::uint16_t port() const { return ntohs(here_.sin_port); }
  /// Waits for one; unset after close().
  [[nodiscard]] unique_fd accept() const {
    return unique_fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  /// A connection to it, whose socket does not block.
  [[nodiscard]] unique_fd connect() {
    unique_fd made(
        ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    (void)::connect(made.get(), address(), sizeof here_);
    return made;
  }
  /// Ends an accept() of another thread.
  void close() { ::shutdown(socket_.get(), SHUT_RDWR); }

 private:
  sockaddr* address() { return reinterpret_cast<sockaddr*>(&here_); }

  unique_fd socket_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in here_{};
};

}  // namespace teleport

#endif  // TEST_SUPPORT_LOOPBACK_HPP
