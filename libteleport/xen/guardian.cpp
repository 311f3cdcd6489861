// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/guardian.cpp: the teleport's side of guardian.hpp. The other
// side is guardian_main.cpp.

#include "libteleport/xen/guardian.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/spawn.hpp"
#include "libteleport/xen/guardian_link.hpp"

namespace teleport {
namespace {

/// Until the guardian is on watch it opens libxl and xenstore: tenths of a
/// second, but seconds on a loaded, emulated host.
constexpr int ready_timeout_ms = 30'000;

/// A released guardian ends at once; this is for one stuck in xenstored.
constexpr int release_timeout_ms = 5'000;

result<pid_t> spawn_guardian(const guardian_options& options, int link) {
  const unique_fd nowhere(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!nowhere) {
    return system_error(errno, "/dev/null");
  }
  spawn_options guardian;
  guardian.program = options.program;
  // The guardian has a name of its own in ps: killing the teleport by name must
  // not kill it.
  guardian.argv = {"teleport-guardian",
                   std::string(guardian_flag),
                   std::to_string(options.domid),
                   options.uuid,
                   options.name,
                   options.journal};
  guardian.descriptors = {link, nowhere.get(), spawn_options::inherited};
  if (options.lock >= 0) {
    guardian.descriptors.push_back(options.lock);
  }
  return spawn(std::move(guardian));
}

/// True when something can be read (or the other end is gone) in time.
bool wait_readable(int fd, int timeout_ms) {
  pollfd wanted = {fd, POLLIN, 0};
  int r = 0;
  do {
    r = ::poll(&wanted, 1, timeout_ms);
  } while (r < 0 && errno == EINTR);
  return r > 0;
}

}  // namespace

guardian_handle::guardian_handle(unique_fd link, pid_t pid) noexcept
    : link_(std::move(link)), pid_(pid) {}

guardian_handle::guardian_handle(guardian_handle&& other) noexcept
    : link_(std::move(other.link_)), pid_(std::exchange(other.pid_, -1)) {}

guardian_handle& guardian_handle::operator=(guardian_handle&& other) noexcept {
  link_ = std::move(other.link_);
  pid_ = std::exchange(other.pid_, -1);
  return *this;
}

guardian_handle::~guardian_handle() = default;

void guardian_handle::release() {
  if (!link_) {
    return;
  }
  if (::send(link_.get(), &guardian_released, 1, MSG_NOSIGNAL) != 1) {
    log_warning("the guardian is gone before its release");
  }
  if (!wait_readable(link_.get(), release_timeout_ms)) {
    log_warning("the guardian does not go: killed");
    ::kill(pid_, SIGKILL);
  }
  link_.reset();
  wait_until_exit(std::exchange(pid_, -1));
}

result<void> guardian_handle::note_pause(bool paused) {
  return tell(paused ? guardian_pausing : guardian_unpaused);
}

result<void> guardian_handle::note_save() {
  return tell(guardian_saving);
}

result<void> guardian_handle::tell(char note) {
  if (!link_ || ::send(link_.get(), &note, 1, MSG_NOSIGNAL) != 1) {
    return error{errc::system, "the guardian process has died"};
  }
  return {};
}

bool guardian_handle::is_on_watch() const {
  if (!link_) {
    return false;
  }
  char byte = 0;
  const ssize_t r = ::recv(link_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return r < 0 && (errno == EAGAIN || errno == EINTR);
}

result<guardian_handle> start_guardian(const guardian_options& options) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_error(errno, "socket for the guardian");
  }
  unique_fd ours(ends[0]);
  unique_fd theirs(ends[1]);
  const auto pid = spawn_guardian(options, theirs.get());
  theirs.reset();
  if (!pid) {
    return in_context("start the guardian", pid.error());
  }
  char byte = 0;
  const bool told = wait_readable(ours.get(), ready_timeout_ms);
  if (!told || ::recv(ours.get(), &byte, 1, MSG_DONTWAIT) != 1 ||
      byte != guardian_ready) {
    ::kill(*pid, SIGKILL);
    wait_until_exit(*pid);
    return error{errc::system,
                 "the guardian did not start: see the log for its reason"};
  }
  return guardian_handle(std::move(ours), *pid);
}

bool is_guardian_call(int argc, const char* const* argv) noexcept {
  return argc > 1 && guardian_flag == argv[1];
}

}  // namespace teleport
