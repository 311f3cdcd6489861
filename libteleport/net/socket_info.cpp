// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/socket_info.hpp"

#include <algorithm>
#include <chrono>
#include <optional>

// The kernel's own header: glibc's tcp_info ends before the counters, and the
// two headers cannot be had in one file.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace teleport {

namespace {

/// @return nullopt when it is no TCP socket; zeros where an older kernel says
///         less
std::optional<tcp_info> ask(int socket) noexcept {
  tcp_info info{};
  socklen_t length = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) != 0) {
    return std::nullopt;
  }
  return info;
}

}  // namespace

link_counters counters_of(int socket) noexcept {
  const tcp_info info = ask(socket).value_or(tcp_info{});
  link_counters counters;
  counters.sent = info.tcpi_bytes_acked;
  counters.received = info.tcpi_bytes_received;
  return counters;
}

link_effort effort_of(int socket) noexcept {
  const tcp_info info = ask(socket).value_or(tcp_info{});
  link_effort effort;
  effort.segments = info.tcpi_segs_out;
  effort.resent = info.tcpi_total_retrans;
  effort.peer_full_us = info.tcpi_rwnd_limited;
  effort.idle = info.tcpi_delivery_rate_app_limited != 0;
  return effort;
}

peer_answers answers_of(int socket) noexcept {
  const auto info = ask(socket);
  peer_answers answers;
  if (info) {
    answers.owed = info->tcpi_unacked > 0;
    answers.has_room = info->tcpi_snd_wnd > 0;
    answers.held = info->tcpi_notsent_bytes > 0;
    answers.since_last = std::chrono::milliseconds(
        std::min(info->tcpi_last_ack_recv, info->tcpi_last_data_recv));
    // The kernel tells the time-out as it is now, doubled for each
    // retransmission that was not answered.
    answers.retransmission =
        std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::microseconds(info->tcpi_rto >> info->tcpi_backoff));
    answers.round_trip = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::microseconds(info->tcpi_rtt));
  }
  return answers;
}

}  // namespace teleport
