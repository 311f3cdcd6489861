// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/lock_file.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/log.hpp"

namespace teleport {

namespace {

constexpr int lock_attempts = 16;

/// Holders that are waited for clear up a disk (a rename and an fsync, or two
/// of LVM's commands) or make up to 64 volumes.
constexpr std::chrono::seconds longest_wait{5};
constexpr std::chrono::milliseconds pause_between{20};

std::string lock_path(const std::string& folder, const std::string& name) {
  return folder + "/" + name + ".lock";
}

bool is_at(const std::string& path, int fd) {
  struct stat named {};
  struct stat opened {};
  return ::stat(path.c_str(), &named) == 0 && ::fstat(fd, &opened) == 0 &&
         named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

}  // namespace

result<unique_fd> take_lock(const std::string& folder,
                            const std::string& name) {
  const auto made = make_folders(folder);
  if (!made) {
    return made.error();
  }
  const std::string path = lock_path(folder, name);
  // A file that was removed between open() and flock() locks nothing.
  for (int i = 0; i < lock_attempts; ++i) {
    unique_fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!fd) {
      return system_error(errno, "open " + path);
    }
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) {
        break;
      }
      return system_error(errno, "lock " + path);
    }
    if (is_at(path, fd.get())) {
      return fd;
    }
  }
  return error(errc::busy, path + " is held by another process");
}

result<unique_fd> wait_for_lock(const std::string& folder,
                                const std::string& name,
                                const std::function<bool()>& is_worth_it) {
  const auto until = std::chrono::steady_clock::now() + longest_wait;
  auto lock = take_lock(folder, name);
  while (!lock && is_worth_it() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(pause_between);
    lock = take_lock(folder, name);
  }
  return lock;
}

void write_lock_note(const unique_fd& held, const std::string& holder) {
  // A reader in between sees the end of a longer text behind this one.
  if (::pwrite(held.get(), holder.data(), holder.size(), 0) < 0 ||
      ::ftruncate(held.get(), static_cast<off_t>(holder.size())) != 0) {
    log_debug(system_error(errno, "note of a lock's holder").context);
  }
}

std::optional<lock_note> read_lock_note(const std::string& folder,
                                        const std::string& name) {
  const unique_fd file(
      ::open(lock_path(folder, name).c_str(), O_RDONLY | O_CLOEXEC));
  struct stat about {};
  std::array<char, 256> text{};
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  if (!file || ::fstat(file.get(), &about) != 0 || got < 0) {
    return std::nullopt;
  }
  constexpr std::uint64_t second = 1'000'000'000;
  return lock_note{std::string(text.data(), static_cast<std::size_t>(got)),
                   static_cast<std::uint64_t>(about.st_mtim.tv_sec) * second +
                       static_cast<std::uint64_t>(about.st_mtim.tv_nsec)};
}

void remove_lock(const std::string& folder,
                 const std::string& name,
                 unique_fd held) {
  // Before the lock is given up: nobody else may have it.
  (void)::unlink(lock_path(folder, name).c_str());
  held.reset();
}

bool lock_is_held(const std::string& folder, const std::string& name) {
  struct stat about {};
  if (::stat(lock_path(folder, name).c_str(), &about) != 0) {
    return errno != ENOENT && errno != ENOTDIR;
  }
  std::ifstream locks("/proc/locks");
  if (!locks) {
    return true;
  }
  // "1: FLOCK  ADVISORY  WRITE 812 00:19:1042 0 EOF", numbers of the device in
  // hexadecimal.
  std::array<char, 32> device{};
  static_cast<void>(std::snprintf(device.data(),
                                  device.size(),
                                  " %02x:%02x:",
                                  major(about.st_dev),
                                  minor(about.st_dev)));
  const std::string file = device.data() + std::to_string(about.st_ino) + " ";
  for (std::string line; std::getline(locks, line);) {
    if (line.find("FLOCK") != std::string::npos &&
        line.find(file) != std::string::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace teleport
