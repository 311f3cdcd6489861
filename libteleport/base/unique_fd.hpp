// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/unique_fd.hpp: owner of one file descriptor.

#ifndef LIBTELEPORT_BASE_UNIQUE_FD_HPP
#define LIBTELEPORT_BASE_UNIQUE_FD_HPP

#include <utility>

#include <unistd.h>

namespace teleport {

/// Closes its descriptor when it goes. Movable, not copyable.
class unique_fd {
 public:
  unique_fd() = default;
  explicit unique_fd(int fd) noexcept : fd_(fd) {}
  unique_fd(unique_fd&& other) noexcept : fd_(other.release()) {}
  unique_fd& operator=(unique_fd&& other) noexcept {
    if (this != &other) {
      reset(other.release());
    }
    return *this;
  }
  unique_fd(const unique_fd&) = delete;
  unique_fd& operator=(const unique_fd&) = delete;
  ~unique_fd() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) {
      ::close(fd_);
    }
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_UNIQUE_FD_HPP
