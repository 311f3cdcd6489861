// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/door_channel.hpp"

#include <array>
#include <cerrno>
#include <cstddef>

#include <poll.h>
#include <sys/socket.h>

#include "libteleport/base/sentence.hpp"

namespace teleport {

namespace {

/// The daemon's loop never waits for long.
constexpr int answer_limit_ms = 10000;

constexpr char paired_mark = '+';
constexpr char refused_mark = '!';

}  // namespace

result<door_channel> door_channel::open() {
  std::array<int, 2> ends{};
  // Packets: one is one introduction, or one answer.
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) !=
      0) {
    return system_error(errno, "socketpair");
  }
  return door_channel{unique_fd(ends[0]), unique_fd(ends[1])};
}

std::optional<introduction> read_introduction(int channel) {
  std::array<char, max_sentence_bytes + 1> bytes{};
  ssize_t got = 0;
  do {
    got = ::recv(channel, bytes.data(), bytes.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got < 1) {
    return std::nullopt;
  }
  return introduction{
      bytes.front() == paired_mark,
      std::string(bytes.data() + 1, static_cast<std::size_t>(got) - 1)};
}

void answer_with(permit may, int channel) {
  const char byte = static_cast<char>(may);
  (void)::send(channel, &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

permit introduce(int channel, const introduction& who) {
  const std::string text =
      (who.is_paired ? paired_mark : refused_mark) + sendable(who.text);
  if (::send(channel, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
    return permit::transfer;
  }
  pollfd one{channel, POLLIN, 0};
  char byte = 0;
  if (::poll(&one, 1, answer_limit_ms) != 1 ||
      ::recv(channel, &byte, 1, MSG_DONTWAIT) != 1) {
    return permit::transfer;
  }
  return byte == static_cast<char>(permit::none)  ? permit::none
         : byte == static_cast<char>(permit::ask) ? permit::ask
                                                  : permit::transfer;
}

}  // namespace teleport
