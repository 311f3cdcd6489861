// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/io_hooks.hpp: an observer sees, in order, what this process does
// to files: the test program's own open, pwrite, fsync, rename and their like
// stand before libc's (the code under test calls them through the dynamic
// linker).
//
// Threads: one observer at a time, set and removed by the test's thread; it is
//          called by whichever thread does the call.

#ifndef TEST_SUPPORT_IO_HOOKS_HPP
#define TEST_SUPPORT_IO_HOOKS_HPP

#include <cstdint>
#include <string>

namespace teleport::test {

/// Paths are absolute. Calls by descriptor come with the descriptor: path_of()
/// and fstat() tell what it is.
class io_observer {
 public:
  io_observer();
  io_observer(const io_observer&) = delete;
  io_observer& operator=(const io_observer&) = delete;
  io_observer(io_observer&&) = delete;
  io_observer& operator=(io_observer&&) = delete;
  virtual ~io_observer();

  /// Before the call. @return 0, or the errno with which it is to fail
  virtual int writing(int fd, std::uint64_t at, std::string bytes);
  /// After the call, which has succeeded.
  virtual void created(int fd);
  virtual void resized(int fd, std::uint64_t size);
  virtual void zeroed(int fd, std::uint64_t at, std::uint64_t length);
  /// fsync() or fdatasync() of a file, a folder or a device.
  virtual void synced(int fd);
  virtual void made_folder(const std::string& path);
  virtual void renamed(const std::string& from, const std::string& to);
  virtual void removed(const std::string& path);
};

/// What a descriptor was opened by; empty where it is no path.
[[nodiscard]] std::string path_of(int fd);

}  // namespace teleport::test

#endif  // TEST_SUPPORT_IO_HOOKS_HPP
