// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/link_counters.hpp"

// The kernel's own header: glibc's tcp_info ends before the counters, and the
// two headers cannot be had in one file.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace teleport {

namespace {

/// Zeros where the kernel has nothing to tell.
tcp_info info_of(int socket) noexcept {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) {
    return {};
  }
  return info;
}

}  // namespace

link_counters count_link(int socket) noexcept {
  const tcp_info info = info_of(socket);
  link_counters counters;
  counters.sent = info.tcpi_bytes_acked;
  counters.received = info.tcpi_bytes_received;
  return counters;
}

link_effort effort_of(int socket) noexcept {
  const tcp_info info = info_of(socket);
  link_effort effort;
  effort.segments = info.tcpi_segs_out;
  effort.resent = info.tcpi_total_retrans;
  effort.peer_full_us = info.tcpi_rwnd_limited;
  effort.idle = info.tcpi_delivery_rate_app_limited != 0;
  return effort;
}

}  // namespace teleport
