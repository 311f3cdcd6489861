// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/service_notice.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <sys/socket.h>
#include <sys/un.h>

#include "libteleport/base/unique_fd.hpp"

namespace teleport {

service_notice service_notice::from_environment() {
  constexpr const char* name = "NOTIFY_SOCKET";
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
  const char* const socket = std::getenv(name);
  service_notice made(socket == nullptr ? "" : socket);
  // NOLINTNEXTLINE(concurrency-mt-unsafe): there is one thread
  (void)::unsetenv(name);
  return made;
}

result<void> service_notice::tell(std::string_view lines) const {
  if (socket_.empty()) {
    return {};
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.size() >= sizeof(address.sun_path)) {
    return error(errc::bad_input, "NOTIFY_SOCKET is too long: " + socket_);
  }
  std::ranges::copy(socket_, address.sun_path);
  if (socket_.front() == '@') {
    address.sun_path[0] = '\0';
  }
  const auto length = offsetof(sockaddr_un, sun_path) + socket_.size();
  const unique_fd sender(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!sender ||
      ::sendto(sender.get(),
               lines.data(),
               lines.size(),
               MSG_NOSIGNAL | MSG_DONTWAIT,
               // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): C
               reinterpret_cast<const sockaddr*>(&address),
               static_cast<socklen_t>(length)) < 0) {
    return system_error(errno, "tell systemd at " + socket_);
  }
  return {};
}

}  // namespace teleport
