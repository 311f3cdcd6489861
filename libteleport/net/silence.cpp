// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/silence.hpp"

#include <algorithm>

// The kernel's own header, as in link_counters.cpp.
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace teleport {

peer_answers answers_of(int socket) noexcept {
  tcp_info info{};
  socklen_t length = sizeof info;
  peer_answers answers;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) {
    answers.owed = info.tcpi_unacked > 0;
    answers.has_room = info.tcpi_snd_wnd > 0;
    answers.held = info.tcpi_notsent_bytes > 0;
    answers.since_last = std::chrono::milliseconds(info.tcpi_last_ack_recv);
  }
  return answers;
}

std::optional<std::chrono::seconds> silence_watch::look(
    const peer_answers& answers, time_point now) {
  const bool stood_still = now - last_look_ > own_pause;
  last_look_ = now;
  if (!answers.owed && !answers.held) {
    since_.reset();
    return std::nullopt;
  }
  if (!since_ || stood_still) {
    since_ = now;
  }
  const auto silent = std::min<std::chrono::steady_clock::duration>(
      answers.since_last, now - *since_);
  const auto limit =
      answers.owed && answers.has_room ? answer_limit : closed_limit;
  return silent < limit
             ? std::nullopt
             : std::optional(
                   std::chrono::duration_cast<std::chrono::seconds>(silent));
}

}  // namespace teleport
