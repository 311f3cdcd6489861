// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/pidfd.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <string>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace teleport {

error ended_process(pid_t pid) {
  return {errc::not_found, "the process " + std::to_string(pid) + " has ended"};
}

result<unique_fd> open_pidfd(pid_t pid) {
  // glibc 2.36 declares pidfd_open() without C linkage.
  unique_fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process) {
    return errno == ESRCH ? ended_process(pid)
                          : system_error(errno, "pidfd_open");
  }
  return process;
}

result<void> send_signal(const unique_fd& process, int signal) {
  if (::syscall(SYS_pidfd_send_signal, process.get(), signal, nullptr, 0) !=
      0) {
    return errno == ESRCH ? error(errc::not_found, "the process has ended")
                          : system_error(errno, "signal the process");
  }
  return {};
}

bool ends_within(const unique_fd& process, std::chrono::milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        until - std::chrono::steady_clock::now());
    pollfd end{process.get(), POLLIN, 0};
    const int got = ::poll(
        &end, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (got >= 0 || errno != EINTR) {
      return got > 0;
    }
  }
}

}  // namespace teleport
