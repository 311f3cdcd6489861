// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/standard_streams.hpp"

#include <cerrno>
#include <iostream>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace teleport {

namespace {

/// Also of what was refused before it: std::cout keeps no cause.
bool reader_has_gone() {
  pollfd out{STDOUT_FILENO, 0, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace

void open_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
      // The lowest that is free is this one. No O_CLOEXEC: a program of ours
      // inherits it.
      (void)::open("/dev/null", O_RDWR | O_NOCTTY);
    }
  }
}

result<void> flush_standard_output() {
  errno = 0;
  std::cout.flush();
  const int cause = errno;
  if (std::cout.good() || reader_has_gone()) {
    return {};
  }
  return cause == 0
             ? error(errc::system, "not all of standard output was written")
             : system_error(cause, "write to standard output");
}

int code_when_told(const char* program, int code, int failed) {
  const auto told = flush_standard_output();
  if (told) {
    return code;
  }
  std::cerr << program << ": " << told.error().context << '\n';
  return code == 0 ? failed : code;
}

}  // namespace teleport
