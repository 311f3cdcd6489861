// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/link_counters.hpp"

// The kernel's own header: glibc's tcp_info ends before the counters, and the
// two headers cannot be had in one file.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace teleport {

link_counters count_link(int socket) noexcept {
  tcp_info info{};
  socklen_t length = sizeof info;
  link_counters counters;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) {
    counters.sent = info.tcpi_bytes_acked;
    counters.received = info.tcpi_bytes_received;
  }
  return counters;
}

link_effort effort_of(int socket) noexcept {
  tcp_info info{};
  socklen_t length = sizeof info;
  link_effort effort;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) {
    effort.segments = info.tcpi_segs_out;
    effort.resent = info.tcpi_total_retrans;
    effort.peer_full_us = info.tcpi_rwnd_limited;
    effort.idle = info.tcpi_delivery_rate_app_limited != 0;
  }
  return effort;
}

}  // namespace teleport
