// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/socket_tuning.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "libteleport/base/error.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

/// A quiet connection is asked for a sign of life after so many seconds, again
/// each so many, and is lost after so many unanswered ones: 10 s in all.
/// silence_watch looks after one on which something is under way.
constexpr unsigned keep_alive_idle = 4;
constexpr unsigned keep_alive_interval = 2;
constexpr unsigned keep_alive_count = 3;

/// bbr keeps a long link full where some packets are lost, which cubic takes
/// for a full queue. A kernel without bbr uses its own default.
constexpr std::string_view wanted_congestion_control = "bbr";

/// Bytes that the kernel may buffer beyond those under way. The rest waits in
/// our queue, where short records can overtake it and the sender sees its
/// length.
constexpr unsigned not_sent_bytes = 128_KiB;

/// Bytes that may be on their way at once: 1 Gbit/s over a round trip of a
/// quarter second. Linux grows a socket's buffers by itself, but by default to
/// 4 MB (sending) and 6 MB (receiving, half of it for its own records): 130
/// Mbit/s at that distance, however wide the link.
constexpr int bytes_on_the_way = 32_MiB;

/// To how many bytes the kernel grows such a buffer by itself.
/// @param limits  "tcp_rmem" or "tcp_wmem": least, first and largest size
long grows_to(const char* limits) {
  std::ifstream file(std::string("/proc/sys/net/ipv4/") + limits);
  long size = 0;
  for (int number = 0; number < 3; ++number) {
    file >> size;
  }
  return file ? size : 0;
}

/// Sets a buffer, which the kernel makes twice as large for its own records and
/// no longer grows. A process without CAP_NET_ADMIN stays with what grows.
void set_buffer(int socket, int option, const char* limits) {
  if (grows_to(limits) < 2L * bytes_on_the_way) {
    (void)::setsockopt(
        socket, SOL_SOCKET, option, &bytes_on_the_way, sizeof bytes_on_the_way);
  }
}

/// Seconds for which the kernel holds a connection that says nothing, without
/// telling us of it. A TLS client speaks first.
constexpr int silent_at_first = 3;

}  // namespace

void tune_socket(int socket, const std::string& congestion_control) {
  const auto set = [socket](int level, int option, unsigned value) {
    (void)::setsockopt(socket, level, option, &value, sizeof value);
  };
  // Asio's are inherited: a hotplug script or a save helper of libxl's would
  // hold the link when this process is killed.
  (void)::fcntl(socket, F_SETFD, FD_CLOEXEC);
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, keep_alive_idle);
  set(IPPROTO_TCP, TCP_KEEPINTVL, keep_alive_interval);
  set(IPPROTO_TCP, TCP_KEEPCNT, keep_alive_count);
  set(IPPROTO_TCP, TCP_NOTSENT_LOWAT, not_sent_bytes);
  const std::string_view wanted = congestion_control.empty()
                                      ? wanted_congestion_control
                                      : std::string_view(congestion_control);
  // What was accepted has that of the socket that listens, which root may give
  // any.
  if (congestion_control_of(socket) != wanted &&
      ::setsockopt(socket,
                   IPPROTO_TCP,
                   TCP_CONGESTION,
                   wanted.data(),
                   static_cast<socklen_t>(wanted.size())) != 0 &&
      !congestion_control.empty()) {
    log_warning(fmt::format("congestion control '{}': {}; it is {} instead",
                            congestion_control,
                            system_error(errno, "this kernel").context,
                            congestion_control_of(socket)));
  }
  set_buffer(socket, SO_SNDBUFFORCE, "tcp_wmem");
}

void tune_listener(int socket) {
  set_buffer(socket, SO_RCVBUFFORCE, "tcp_rmem");
  (void)::setsockopt(socket,
                     IPPROTO_TCP,
                     TCP_DEFER_ACCEPT,
                     &silent_at_first,
                     sizeof silent_at_first);
}

void tune_further_lane(int socket) {
  constexpr int bytes = bytes_on_the_way / 8;
  (void)::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

std::string congestion_control_of(int socket) {
  std::array<char, 16> name{};
  auto length = static_cast<socklen_t>(name.size());
  if (::getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name.data(), &length) !=
      0) {
    return {};
  }
  return {name.data(), ::strnlen(name.data(), name.size())};
}

}  // namespace teleport
