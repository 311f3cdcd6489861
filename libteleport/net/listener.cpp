// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/listener.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "libteleport/net/socket_tuning.hpp"

namespace teleport {

namespace {

/// A socket's address of either family.
struct place {
  sockaddr_storage bytes{};
  socklen_t length = sizeof(sockaddr_storage);

  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&bytes); }
  [[nodiscard]] const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&bytes);
  }
};

result<place> place_at(const std::string& address, std::uint16_t port) {
  place found;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    found.length = sizeof v4;
    std::memcpy(&found.bytes, &v4, sizeof v4);
  } else if (::inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    found.length = sizeof v6;
    std::memcpy(&found.bytes, &v6, sizeof v6);
  } else {
    return error(
        errc::bad_input,
        fmt::format("'{}' is not an IP address to listen on", address));
  }
  return found;
}

std::string text_of(const place& where) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (where.bytes.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &where.bytes, sizeof v4);
    (void)::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &where.bytes, sizeof v6);
    (void)::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

struct attempt {
  unique_fd socket;
  int failure = 0;  ///< errno
};

attempt listen_on(const place& where, const std::string& congestion_control) {
  const int family = where.bytes.ss_family;
  unique_fd made(
      ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made) {
    return {{}, errno};
  }
  const int off = 0;
  const int on = 1;
  if (family == AF_INET6) {
    (void)::setsockopt(made.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  }
  (void)::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  tune_socket(made.get(), congestion_control);
  tune_listener(made.get());
  if (::bind(made.get(), where.get(), where.length) != 0 ||
      ::listen(made.get(), SOMAXCONN) != 0) {
    return {{}, errno};
  }
  return {std::move(made), 0};
}

}  // namespace

result<unique_fd> listen_at(const std::string& address,
                            std::uint16_t port,
                            const std::string& congestion_control) {
  const auto where = place_at(address, port);
  if (!where) {
    return where.error();
  }
  attempt made = listen_on(*where, congestion_control);
  // A kernel without IPv6 (ipv6.disable=1): all of its addresses are IPv4's.
  if (made.failure == EAFNOSUPPORT && address == "::") {
    made = listen_on(*place_at("0.0.0.0", port), congestion_control);
  }
  if (made.failure == 0) {
    return std::move(made.socket);
  }
  auto cause = system_error(
      made.failure, fmt::format("cannot listen on {} port {}", address, port));
  cause.code = made.failure == EADDRINUSE ? errc::busy : cause.code;
  return cause;
}

result<accepted_socket> accept_next(int listening) {
  place from;
  unique_fd came;
  do {
    came.reset(::accept4(listening, from.get(), &from.length, SOCK_CLOEXEC));
  } while (!came && (errno == EINTR || errno == ECONNABORTED));
  if (!came) {
    return errno == EAGAIN ? error(errc::timeout, "no connection is there")
                           : system_error(errno, "accept");
  }
  return accepted_socket{std::move(came), text_of(from)};
}

}  // namespace teleport
