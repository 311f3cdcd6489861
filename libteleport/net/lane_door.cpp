// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/lane_door.hpp"

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

#include "libteleport/base/digest.hpp"

namespace teleport {

namespace {

using boost::asio::posix::stream_descriptor;

/// Never the beginning of a TLS handshake, whose first byte is 22.
constexpr std::string_view preamble_magic = "TPLANE01";
constexpr std::size_t preamble_bytes =
    preamble_magic.size() + std::tuple_size_v<lane_name>;

/// As long as a handshake may take.
constexpr std::chrono::milliseconds preamble_limit{20000};

/// A link that is busy takes a further connection a moment later.
constexpr timeval give_limit{5, 0};

constexpr std::string_view door_prefix = "lane-";

std::optional<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return std::nullopt;
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

std::string door_path(const std::string& run_path, const lane_name& name) {
  return run_path + "/" + std::string(door_prefix) + to_hex(name);
}

/// @param flags  SOCK_NONBLOCK, or 0
result<unique_fd> door_socket(int flags) {
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

/// Doors of processes that were killed.
void tidy(const std::string& run_path) {
  std::error_code failure;
  for (std::filesystem::directory_iterator entry(run_path, failure), end;
       !failure && entry != end;
       entry.increment(failure)) {
    const std::string path = entry->path();
    if (!entry->path().filename().string().starts_with(door_prefix)) {
      continue;
    }
    const auto probe = door_socket(SOCK_NONBLOCK);
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

result<void> send_socket(int door, int socket) {
  parcel one;
  cmsghdr* const header = CMSG_FIRSTHDR(&one.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof socket);
  std::memcpy(CMSG_DATA(header), &socket, sizeof socket);
  if (::sendmsg(door, &one.message, MSG_NOSIGNAL) < 0) {
    return system_error(errno, "give a connection on");
  }
  return {};
}

/// @return empty when none is there
unique_fd take_socket(int door) {
  parcel one;
  if (::recvmsg(door, &one.message, MSG_CMSG_CLOEXEC) < 0) {
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
    // A part of it keeps poll() from waiting for the rest; its end is told apart,
    // as what is there hides it.
    const int least = static_cast<int>(seen + 1);
    (void)::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
    pollfd one{socket, POLLIN | POLLRDHUP, 0};
    (void)::poll(&one, 1, static_cast<int>(left.count()));
    ended = (one.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }
}

}  // namespace

byte_buffer lane_preamble(const lane_name& name) {
  byte_writer out;
  out.bytes(as_bytes(preamble_magic));
  out.bytes(name);
  return std::move(out).take();
}

result<bool> hand_over_to_link(int socket, const std::string& run_path) {
  std::array<char, preamble_bytes> bytes{};
  const auto until = std::chrono::steady_clock::now() + preamble_limit;
  std::size_t seen = wait_to_see(socket, std::span(bytes).first(1), until);
  if (seen == 1 && bytes[0] == preamble_magic[0]) {
    seen = wait_to_see(socket, bytes, until);
  }
  const int any = 1;
  (void)::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof any);
  if (seen == 0) {
    return error(errc::peer_lost, "it connected and said nothing");
  }
  const std::string_view said(bytes.data(), seen);
  if (seen != preamble_bytes || !said.starts_with(preamble_magic)) {
    return false;
  }
  (void)::recv(socket, bytes.data(), bytes.size(), 0);
  lane_name name{};
  copy_bytes(as_bytes(said.substr(preamble_magic.size())), name);
  const auto door = door_socket(0);
  if (!door) {
    return door.error();
  }
  (void)::setsockopt(
      door->get(), SOL_SOCKET, SO_SNDTIMEO, &give_limit, sizeof give_limit);
  if (with_address(::connect, door->get(), door_path(run_path, name)) != 0) {
    return error(errc::not_found,
                 "a further connection of a link that is not here");
  }
  const auto given = send_socket(door->get(), socket);
  if (!given) {
    return given.error();
  }
  return true;
}

struct lane_door::state : std::enable_shared_from_this<state> {
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
          if (auto taken = take_socket(self->socket.native_handle());
              taken.get() >= 0) {
            const auto give = self->on_lane;
            give(std::move(taken));
          }
          if (self->socket.is_open()) {
            self->wait();
          }
        });
  }
};

result<std::unique_ptr<lane_door>> lane_door::open(
    event_loop& loop,
    const std::string& run_path,
    const lane_name& name,
    std::function<void(unique_fd)> on_lane) {
  std::error_code ignored;
  std::filesystem::create_directories(run_path, ignored);
  tidy(run_path);
  auto socket = door_socket(SOCK_NONBLOCK);
  if (!socket) {
    return socket.error();
  }
  auto inner = std::make_shared<state>(loop);
  inner->path = door_path(run_path, name);
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
  return std::unique_ptr<lane_door>(new lane_door(std::move(inner)));
}

lane_door::lane_door(std::shared_ptr<state> inner) : state_(std::move(inner)) {}

lane_door::~lane_door() {
  boost::system::error_code ignored;
  state_->socket.close(ignored);
  (void)::unlink(state_->path.c_str());
}

}  // namespace teleport
