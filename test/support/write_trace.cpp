// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/write_trace.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <utility>

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace teleport {

namespace {

std::atomic<write_trace*> active = nullptr;

/// The active trace, when it watches `fd`.
write_trace* trace_of(int fd) {
  write_trace* trace = active;
  return trace != nullptr && trace->is_watched(fd) ? trace : nullptr;
}

}  // namespace

write_trace::write_trace(std::string file) : file_(std::move(file)) {
  active = this;
}

write_trace::~write_trace() {
  active = nullptr;
}

bool write_trace::is_watched(int fd) const {
  std::array<char, 4096> name{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t n = ::readlink(link.c_str(), name.data(), name.size());
  return n > 0 && std::string_view(name.data(), static_cast<std::size_t>(n)) ==
                      std::string_view(file_);
}

int write_trace::note(event what) {
  if (events_.size() == kill_at) {
    (void)std::raise(SIGKILL);
  }
  if (events_.size() >= refuse_from && !what.sync) {
    return refuse_with;
  }
  events_.push_back(std::move(what));
  return 0;
}

}  // namespace teleport

// Names of our own with libc's as symbols: the headers may rename libc's.
extern "C" {
ssize_t traced_pwrite(int fd,
                      const void* data,
                      size_t size,
                      off_t at) asm("pwrite");
ssize_t traced_writev(int fd, const iovec* parts, int count) asm("writev");
int traced_fdatasync(int fd) asm("fdatasync");

ssize_t traced_pwrite(int fd, const void* data, size_t size, off_t at) {
  using teleport::write_trace;
  if (write_trace* trace = teleport::trace_of(fd)) {
    write_trace::event what;
    what.at = static_cast<std::uint64_t>(at);
    what.bytes.assign(static_cast<const char*>(data), size);
    if (const int refused = trace->note(std::move(what))) {
      errno = refused;
      return -1;
    }
  }
  return ::syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t traced_writev(int fd, const iovec* parts, int count) {
  using teleport::write_trace;
  if (write_trace* trace = teleport::trace_of(fd)) {
    write_trace::event what;
    what.at = static_cast<std::uint64_t>(::lseek(fd, 0, SEEK_CUR));
    for (int i = 0; i < count; ++i) {
      what.bytes.append(static_cast<const char*>(parts[i].iov_base),
                        parts[i].iov_len);
    }
    if (const int refused = trace->note(std::move(what))) {
      errno = refused;
      return -1;
    }
  }
  return ::syscall(SYS_writev, fd, parts, count);
}

int traced_fdatasync(int fd) {
  using teleport::write_trace;
  const int done = static_cast<int>(::syscall(SYS_fdatasync, fd));
  if (write_trace* trace = teleport::trace_of(fd)) {
    write_trace::event what;
    what.sync = true;
    (void)trace->note(std::move(what));
  }
  return done;
}
}
