// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/packet_door.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace teleport {

namespace {

/// @param act  bind() or connect()
template <class Act>
result<unique_fd> socket_at(const std::string& path, Act act) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return system_error(ENAMETOOLONG, path);
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  unique_fd made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!made || act(made.get(),
                   reinterpret_cast<const sockaddr*>(&address),
                   socklen_t{sizeof address}) != 0) {
    return system_error(errno, path);
  }
  return made;
}

/// @return root's where there is no such user
uid_t uid_of(const std::string& user) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> text(16384);  // sysconf(_SC_GETPW_R_SIZE_MAX) is 1024
  (void)::getpwnam_r(user.c_str(), &entry, text.data(), text.size(), &found);
  return found == nullptr ? 0 : entry.pw_uid;
}

}  // namespace

result<unique_fd> open_door(const std::string& path) {
  // Under its name it is one that listens.
  const std::string unfinished = path + ".new";
  (void)::unlink(unfinished.c_str());
  auto made = socket_at(unfinished, ::bind);
  if (made && (::chmod(unfinished.c_str(), 0666) != 0 ||
               ::listen(made->get(), 1) != 0 ||
               ::rename(unfinished.c_str(), path.c_str()) != 0)) {
    return system_error(errno, path);
  }
  return made;
}

result<unique_fd> await_at_door(int door, const std::string& user) {
  unique_fd came;
  do {
    came.reset(::accept4(door, nullptr, nullptr, SOCK_CLOEXEC));
  } while (!came && (errno == EINTR || errno == ECONNABORTED));
  ucred who{};
  socklen_t length = sizeof who;
  if (!came ||
      ::getsockopt(came.get(), SOL_SOCKET, SO_PEERCRED, &who, &length) != 0) {
    return system_error(errno, "accept");
  }
  if (who.uid != 0 && who.uid != uid_of(user)) {
    return error(errc::refused, "another user's process came to the door");
  }
  return came;
}

result<unique_fd> connect_to_door(const std::string& path) {
  return socket_at(path, ::connect);
}

}  // namespace teleport
