// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/line_output.hpp"

#include <cerrno>
#include <climits>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace teleport {

namespace {

bool has_room(int fd) {
  pollfd wanted = {fd, POLLOUT, 0};
  return ::poll(&wanted, 1, 0) == 1 && (wanted.revents & POLLOUT) != 0;
}

}  // namespace

line_output::line_output(int fd) : fd_(fd), kind_(kind::stream) {
  struct stat what {};
  if (::fstat(fd, &what) != 0 || S_ISREG(what.st_mode)) {
    kind_ = kind::file;
  } else if (S_ISSOCK(what.st_mode)) {
    kind_ = kind::socket;
  } else {
    own_.reset(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(),
                      O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  }
}

bool line_output::write(std::string_view text) {
  std::string line;
  if (torn_) {
    line = "\n";
    line += text;
    text = line;
  }
  ssize_t written = -1;
  do {
    if (kind_ == kind::socket) {
      written =
          ::send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    } else if (own_) {
      written = ::write(own_.get(), text.data(), text.size());
    } else if (kind_ == kind::file ||
               (text.size() <= PIPE_BUF && has_room(fd_))) {
      // A pipe that poll() calls writable has room for so much.
      written = ::write(fd_, text.data(), text.size());
    }
  } while (written < 0 && errno == EINTR);
  if (written > 0) {
    torn_ = static_cast<std::size_t>(written) < text.size();
  }
  return written == static_cast<ssize_t>(text.size());
}

}  // namespace teleport
