// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/lane_inbox.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/durable_file.hpp"

namespace teleport {

namespace {

using boost::asio::posix::stream_descriptor;

/// For the first byte, which a source sends at once.
constexpr std::chrono::milliseconds preamble_limit{3000};

/// A process that is busy receives a socket a moment later.
constexpr timeval hand_over_limit{5, 0};

constexpr std::string_view inbox_prefix = "lane-";

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return std::nullopt;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

std::string inbox_path(const std::string& run_path, const lane_name& name) {
  return run_path + "/" + std::string(inbox_prefix) + to_hex(name);
}

/// @param flags  SOCK_NONBLOCK, or 0
result<unique_fd> inbox_socket(int flags) {
  unique_fd made(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0));
  if (made.get() < 0) {
    return system_error(errno, "socket");
  }
  return made;
}

/// bind() or connect() to `path`. @return errno, 0 when it was done
template <class Act>
int with_address(Act act, int socket, const std::string& path) {
  const auto address = address_of(path);
  if (!address) {
    return ENAMETOOLONG;
  }
  return act(socket,
             reinterpret_cast<const sockaddr*>(&*address),
             sizeof(sockaddr_un)) == 0
             ? 0
             : errno;
}

/// Removes the inboxes of processes that were killed.
void remove_dead(const std::string& run_path) {
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(run_path, failure), end;
       !failure && entry != end;
       entry.increment(failure)) {
    const std::string path = entry->path();
    if (!entry->path().filename().string().starts_with(inbox_prefix)) {
      continue;
    }
    const auto probe = inbox_socket(SOCK_NONBLOCK);
    if (probe && with_address(::connect, probe->get(), path) == ECONNREFUSED) {
      (void)::unlink(path.c_str());
    }
  }
}

/// One descriptor beside one byte.
struct parcel {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  char byte = 0;
  iovec piece{&byte, 1};
  msghdr message{};

  parcel(const parcel&) = delete;
  parcel& operator=(const parcel&) = delete;
  parcel(parcel&&) = delete;
  parcel& operator=(parcel&&) = delete;
  ~parcel() = default;
  parcel() {
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
  }
};

result<void> send_socket(int inbox, int socket) {
  parcel one;
  cmsghdr* const header = CMSG_FIRSTHDR(&one.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof socket);
  std::memcpy(CMSG_DATA(header), &socket, sizeof socket);
  if (::sendmsg(inbox, &one.message, MSG_NOSIGNAL) < 0) {
    return system_error(errno, "hand a connection over");
  }
  return {};
}

/// @return empty when none is there
unique_fd receive_socket(int inbox) {
  parcel one;
  if (::recvmsg(inbox, &one.message, MSG_CMSG_CLOEXEC) < 0) {
    return {};
  }
  const cmsghdr* const header = CMSG_FIRSTHDR(&one.message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET ||
      header->cmsg_type != SCM_RIGHTS ||
      header->cmsg_len != CMSG_LEN(sizeof(int))) {
    return {};
  }
  int socket = -1;
  std::memcpy(&socket, CMSG_DATA(header), sizeof socket);
  return unique_fd(socket);
}

/// Waits until `bytes` bytes can be seen, and leaves them there.
/// @return how many of them are there: fewer when the peer sends no more
std::size_t wait_to_see(int socket,
                        std::span<char> bytes,
                        std::chrono::steady_clock::time_point until) {
  bool ended = false;
  for (;;) {
    const ssize_t got =
        ::recv(socket, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    const std::size_t seen = got > 0 ? static_cast<std::size_t>(got) : 0;
    if (seen == bytes.size() || got == 0 || ended || left.count() <= 0 ||
        (got < 0 && errno != EAGAIN && errno != EINTR)) {
      return seen;
    }
    // SO_RCVLOWAT: else poll() returns at once for the bytes already there.
    // POLLRDHUP: because buffered bytes hide the end of the stream.
    const int least = static_cast<int>(seen + 1);
    (void)::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
    pollfd one{socket, POLLIN | POLLRDHUP, 0};
    (void)::poll(&one, 1, static_cast<int>(left.count()));
    ended = (one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }
}

}  // namespace

result<bool> hand_over_to_link(int socket, const std::string& run_path) {
  std::array<char, preamble_bytes> bytes{};
  const auto until = std::chrono::steady_clock::now() + preamble_limit;
  std::size_t seen = wait_to_see(socket, std::span(bytes).first(1), until);
  if (seen == 1 && bytes[0] == preamble_magic.front()) {
    seen = wait_to_see(socket, bytes, until);
  }
  const int any = 1;
  (void)::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof any);
  if (seen == 0) {
    return error(errc::peer_lost, "it connected and said nothing");
  }
  const auto name =
      decode_preamble(as_bytes(std::string_view(bytes.data(), seen)));
  if (!name) {
    return false;
  }
  (void)::recv(socket, bytes.data(), bytes.size(), 0);
  const auto inbox = inbox_socket(0);
  if (!inbox) {
    return inbox.error();
  }
  (void)::setsockopt(inbox->get(),
                     SOL_SOCKET,
                     SO_SNDTIMEO,
                     &hand_over_limit,
                     sizeof hand_over_limit);
  if (with_address(::connect, inbox->get(), inbox_path(run_path, *name)) != 0) {
    return error(errc::not_found,
                 "a further connection of a link that is not here");
  }
  const auto sent = send_socket(inbox->get(), socket);
  if (!sent) {
    return sent.error();
  }
  return true;
}

struct lane_inbox::state : std::enable_shared_from_this<state> {
  explicit state(event_loop& loop) : socket(loop.context()) {}

  stream_descriptor socket;
  std::string path;
  std::function<void(unique_fd)> on_lane;

  void wait() {
    socket.async_wait(
        stream_descriptor::wait_read,
        [self = shared_from_this()](const boost::system::error_code& failure) {
          if (failure || !self->socket.is_open()) {
            return;
          }
          if (auto received = receive_socket(self->socket.native_handle());
              received.get() >= 0) {
            const auto tell = self->on_lane;
            tell(std::move(received));
          }
          if (self->socket.is_open()) {
            self->wait();
          }
        });
  }
};

result<std::unique_ptr<lane_inbox>> lane_inbox::open(
    event_loop& loop,
    const std::string& run_path,
    const lane_name& name,
    std::function<void(unique_fd)> on_lane) {
  (void)make_folders(run_path);  // what follows tells of a failure
  remove_dead(run_path);
  auto socket = inbox_socket(SOCK_NONBLOCK);
  if (!socket) {
    return socket.error();
  }
  auto inner = std::make_shared<state>(loop);
  inner->path = inbox_path(run_path, name);
  const int refused = with_address(::bind, socket->get(), inner->path);
  if (refused != 0) {
    return system_error(refused, inner->path);
  }
  (void)::chmod(inner->path.c_str(), S_IRUSR | S_IWUSR);
  boost::system::error_code failure;
  inner->socket.assign(socket->get(), failure);
  if (failure) {
    (void)::unlink(inner->path.c_str());
    return error(errc::system, inner->path + ": " + failure.message());
  }
  static_cast<void>(socket->release());
  inner->on_lane = std::move(on_lane);
  inner->wait();
  return std::unique_ptr<lane_inbox>(new lane_inbox(std::move(inner)));
}

lane_inbox::lane_inbox(std::shared_ptr<state> inner)
    : state_(std::move(inner)) {}

lane_inbox::~lane_inbox() {
  boost::system::error_code ignored;
  state_->socket.close(ignored);
  (void)::unlink(state_->path.c_str());
}

}  // namespace teleport
