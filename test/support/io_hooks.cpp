// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/io_hooks.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

namespace teleport::test {

namespace {

std::atomic<io_observer*> active = nullptr;

}  // namespace

io_observer::io_observer() {
  active = this;
}

io_observer::~io_observer() {
  active = nullptr;
}

int io_observer::writing(int /*fd*/, std::uint64_t /*at*/, std::string /*s*/) {
  return 0;
}
void io_observer::created(int /*fd*/) {}
void io_observer::resized(int /*fd*/, std::uint64_t /*size*/) {}
void io_observer::zeroed(int /*fd*/,
                         std::uint64_t /*at*/,
                         std::uint64_t /*length*/) {}
void io_observer::synced(int /*fd*/) {}
void io_observer::made_folder(const std::string& /*path*/) {}
void io_observer::renamed(const std::string& /*from*/,
                          const std::string& /*to*/) {}
void io_observer::removed(const std::string& /*path*/) {}

std::string path_of(int fd) {
  std::array<char, 4096> name{};
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  const ssize_t n = ::readlink(link.c_str(), name.data(), name.size());
  return n > 0 ? std::string(name.data(), static_cast<std::size_t>(n))
               : std::string();
}

namespace {

std::string path_at(int folder, const char* path) {
  return folder == AT_FDCWD || path[0] == '/' ? std::string(path)
                                              : path_of(folder) + "/" + path;
}

bool is_creating(int flags) {
  return (flags & O_CREAT) != 0;
}

bool is_there(int folder, const char* path) {
  return ::syscall(SYS_faccessat, folder, path, F_OK) == 0;
}

int open_file(int folder, const char* path, int flags, mode_t mode) {
  io_observer* const observer = active;
  const bool asked = observer != nullptr;
  const bool is_new = asked && is_creating(flags) && !is_there(folder, path);
  const auto fd =
      static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
  if (asked && fd >= 0) {
    if (is_new) {
      observer->created(fd);
    } else if ((flags & O_TRUNC) != 0) {
      observer->resized(fd, 0);
    }
  }
  return fd;
}

ssize_t write_bytes(int fd, std::uint64_t at, std::string bytes) {
  if (io_observer* const observer = active) {
    if (const int refused = observer->writing(fd, at, std::move(bytes))) {
      errno = refused;
      return -1;
    }
  }
  return 0;
}

std::uint64_t place_of(int fd) {
  return active == nullptr
             ? 0
             : static_cast<std::uint64_t>(::lseek(fd, 0, SEEK_CUR));
}

std::string text_of(const void* data, std::size_t size) {
  return active == nullptr ? std::string()
                           : std::string(static_cast<const char*>(data), size);
}

int told_sync(int fd, long number) {
  const auto done = static_cast<int>(::syscall(number, fd));
  if (io_observer* const observer = active; observer != nullptr && done == 0) {
    observer->synced(fd);
  }
  return done;
}

int rename_file(int from_folder,
                const char* from,
                int to_folder,
                const char* to,
                unsigned flags) {
  const auto done = static_cast<int>(
      ::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
  if (io_observer* const observer = active; observer != nullptr && done == 0) {
    observer->renamed(path_at(from_folder, from), path_at(to_folder, to));
  }
  return done;
}

int remove_file(int folder, const char* path, int flags) {
  const auto done =
      static_cast<int>(::syscall(SYS_unlinkat, folder, path, flags));
  if (io_observer* const observer = active; observer != nullptr && done == 0) {
    observer->removed(path_at(folder, path));
  }
  return done;
}

}  // namespace

}  // namespace teleport::test

// Names of our own with libc's as symbols: the headers may rename libc's.
extern "C" {
int hooked_open(const char* path, int flags, ...) asm("open64");
int hooked_openat(int folder, const char* path, int flags, ...) asm("openat64");
ssize_t hooked_write(int fd, const void* data, size_t size) asm("write");
ssize_t hooked_pwrite(int fd,
                      const void* data,
                      size_t size,
                      off_t at) asm("pwrite64");
// LMDB is compiled with the short name.
ssize_t hooked_pwrite_short(int fd,
                            const void* data,
                            size_t size,
                            off_t at) asm("pwrite");
ssize_t hooked_writev(int fd, const iovec* parts, int count) asm("writev");
int hooked_ftruncate(int fd, off_t size) asm("ftruncate64");
int hooked_fallocate(int fd, int mode, off_t at, off_t size) asm("fallocate64");
int hooked_fsync(int fd) asm("fsync");
int hooked_fdatasync(int fd) asm("fdatasync");
int hooked_mkdir(const char* path, mode_t mode) asm("mkdir");
int hooked_rename(const char* from, const char* to) asm("rename");
int hooked_renameat2(int from_folder,
                     const char* from,
                     int to_folder,
                     const char* to,
                     unsigned flags) asm("renameat2");
int hooked_unlink(const char* path) asm("unlink");
int hooked_unlinkat(int folder, const char* path, int flags) asm("unlinkat");

int hooked_open(const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    va_list more;
    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
  }
  return teleport::test::open_file(AT_FDCWD, path, flags, mode);
}

int hooked_openat(int folder, const char* path, int flags, ...) {
  mode_t mode = 0;
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) {
    va_list more;
    va_start(more, flags);
    mode = va_arg(more, mode_t);
    va_end(more);
  }
  return teleport::test::open_file(folder, path, flags, mode);
}

ssize_t hooked_write(int fd, const void* data, size_t size) {
  using namespace teleport::test;
  const ssize_t refused = write_bytes(fd, place_of(fd), text_of(data, size));
  return refused != 0 ? refused : ::syscall(SYS_write, fd, data, size);
}

ssize_t hooked_pwrite(int fd, const void* data, size_t size, off_t at) {
  using namespace teleport::test;
  const ssize_t refused =
      write_bytes(fd, static_cast<std::uint64_t>(at), text_of(data, size));
  return refused != 0 ? refused : ::syscall(SYS_pwrite64, fd, data, size, at);
}

ssize_t hooked_pwrite_short(int fd, const void* data, size_t size, off_t at) {
  return hooked_pwrite(fd, data, size, at);
}

ssize_t hooked_writev(int fd, const iovec* parts, int count) {
  using namespace teleport::test;
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    bytes += text_of(parts[i].iov_base, parts[i].iov_len);
  }
  const ssize_t refused = write_bytes(fd, place_of(fd), std::move(bytes));
  return refused != 0 ? refused : ::syscall(SYS_writev, fd, parts, count);
}

int hooked_ftruncate(int fd, off_t size) {
  const auto done = static_cast<int>(::syscall(SYS_ftruncate, fd, size));
  using namespace teleport::test;
  if (io_observer* const observer = active; observer != nullptr && done == 0) {
    observer->resized(fd, static_cast<std::uint64_t>(size));
  }
  return done;
}

int hooked_fallocate(int fd, int mode, off_t at, off_t size) {
  const auto done =
      static_cast<int>(::syscall(SYS_fallocate, fd, mode, at, size));
  using namespace teleport::test;
  if (io_observer* const observer = active; observer != nullptr && done == 0) {
    observer->zeroed(
        fd, static_cast<std::uint64_t>(at), static_cast<std::uint64_t>(size));
  }
  return done;
}

int hooked_fsync(int fd) {
  return teleport::test::told_sync(fd, SYS_fsync);
}

int hooked_fdatasync(int fd) {
  return teleport::test::told_sync(fd, SYS_fdatasync);
}

int hooked_mkdir(const char* path, mode_t mode) {
  const auto done =
      static_cast<int>(::syscall(SYS_mkdirat, AT_FDCWD, path, mode));
  using namespace teleport::test;
  if (io_observer* const observer = active; observer != nullptr && done == 0) {
    observer->made_folder(path);
  }
  return done;
}

int hooked_rename(const char* from, const char* to) {
  return teleport::test::rename_file(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int hooked_renameat2(int from_folder,
                     const char* from,
                     int to_folder,
                     const char* to,
                     unsigned flags) {
  return teleport::test::rename_file(from_folder, from, to_folder, to, flags);
}

int hooked_unlink(const char* path) {
  return teleport::test::remove_file(AT_FDCWD, path, 0);
}

int hooked_unlinkat(int folder, const char* path, int flags) {
  return teleport::test::remove_file(folder, path, flags);
}
}
