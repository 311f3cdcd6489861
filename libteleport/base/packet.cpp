// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/packet.hpp"

#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/time.h>

namespace teleport {

namespace {

constexpr std::size_t control_bytes =
    CMSG_SPACE(max_packet_descriptors * sizeof(int));

struct letter {
  alignas(cmsghdr) std::array<char, control_bytes> control{};
  iovec piece{};
  msghdr message{};

  letter(const letter&) = delete;
  letter& operator=(const letter&) = delete;
  letter(letter&&) = delete;
  letter& operator=(letter&&) = delete;
  ~letter() = default;
  letter(void* bytes, std::size_t size) : piece{bytes, size} {
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
  }
};

std::vector<unique_fd> descriptors_of(msghdr& message) {
  std::vector<unique_fd> found;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(
          &descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
      found.emplace_back(descriptor);
    }
  }
  return found;
}

}  // namespace

result<socket_ends> connected_sockets(int type) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_error(errno, "socketpair");
  }
  return socket_ends{unique_fd(ends[0]), unique_fd(ends[1])};
}

result<void> send_packet(int socket,
                         std::string_view bytes,
                         const std::vector<int>& descriptors) {
  assert(!bytes.empty() && descriptors.size() <= max_packet_descriptors);
  std::string copy(bytes);
  letter one(copy.data(), copy.size());
  if (!descriptors.empty()) {
    const std::size_t size = descriptors.size() * sizeof(int);
    one.message.msg_control = one.control.data();
    one.message.msg_controllen = CMSG_SPACE(size);
    cmsghdr* const header = CMSG_FIRSTHDR(&one.message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), descriptors.data(), size);
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &one.message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? result<void>(system_error(errno, "send to a process"))
                  : result<void>();
}

result<packet> receive_packet(int socket, std::size_t longest, int flags) {
  std::string bytes(longest, '\0');
  letter one(bytes.data(), bytes.size());
  one.message.msg_control = one.control.data();
  one.message.msg_controllen = one.control.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &one.message, MSG_CMSG_CLOEXEC | flags);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    return errno == EAGAIN
               ? error(errc::timeout, "another process says nothing")
               : system_error(errno, "receive from a process");
  }
  packet came{{}, descriptors_of(one.message)};
  if (got == 0) {
    return error(errc::peer_lost, "another process has ended");
  }
  if ((one.message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return error(errc::protocol, "another process says too much");
  }
  bytes.resize(static_cast<std::size_t>(got));
  came.bytes = std::move(bytes);
  return came;
}

void limit_waiting(int socket, std::chrono::seconds most) {
  const timeval time{most.count(), 0};
  for (const int option : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    (void)::setsockopt(socket, SOL_SOCKET, option, &time, sizeof time);
  }
}

}  // namespace teleport
