// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/file_home.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/folder.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/directory_store.hpp"
#include "libteleport/disk/loop_device.hpp"

namespace teleport {

namespace {

constexpr std::array<store_word, 1> words{{{"directory"}}};

std::optional<std::string> check_store(const store_config& config) {
  return is_absolute_path(config.path)
             ? std::nullopt
             : std::optional<std::string>(
                   "'store.path' must be a folder, as an absolute path");
}

/// A regular file's real path; empty for anything else.
result<std::string> real_file(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) {
    return system_error(errno, path);
  }
  if (!S_ISREG(about.st_mode)) {
    return std::string();
  }
  const std::unique_ptr<char, decltype(&std::free)> real(
      ::realpath(path.c_str(), nullptr), &std::free);
  if (!real) {
    return system_error(errno, path);
  }
  return std::string(real.get());
}

/// The kernel gives up a loop device's hold on its file a moment after the
/// device is detached.
constexpr int alone_attempts = 20;
constexpr std::chrono::milliseconds alone_pause(50);

/// Opens a regular file that no other descriptor of any process has open, and
/// keeps others waiting while the descriptor is there: fcntl(2), leases.
///
/// @error errc::busy
result<unique_fd> open_alone(const std::string& name) {
  unique_fd file(::open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat about {};
  if (!file || ::fstat(file.get(), &about) != 0) {
    return system_error(errno, name);
  }
  if (!S_ISREG(about.st_mode)) {
    return error(errc::refused, name + " is not a regular file");
  }
  // Who opens the file meanwhile has this process told so: by SIGIO, which
  // would end it.
  (void)::fcntl(file.get(), F_SETSIG, SIGURG);
  int left = alone_attempts;
  while (::fcntl(file.get(), F_SETLEASE, F_WRLCK) != 0) {
    if (errno != EAGAIN) {
      return system_error(errno, "whether somebody has " + name + " open");
    }
    if (--left == 0) {
      return error(errc::busy, name + " is open in another program");
    }
    std::this_thread::sleep_for(alone_pause);
  }
  return file;
}

}  // namespace

constinit const disk_kind_entry file_kind{.kind = disk_kind::file,
                                          .find = file_home::find,
                                          .make_home = make_home<file_home>,
                                          .open_store = open_directory_store,
                                          .words = words,
                                          .check_store = check_store,
                                          .is_file = true};

disk_place file_home::place_of(std::string path) {
  std::string aside = path + std::string(shadow_suffix);
  return {disk_kind::file, path, std::move(path), std::move(aside)};
}

result<std::optional<disk_place>> file_home::find(const std::string& device) {
  auto file = real_file(device);
  if (!file) {
    return file.error();
  }
  if (file->empty()) {
    auto under = file_of_loop(device);
    if (!under) {
      return under.error();
    }
    if (!*under) {
      return std::optional<disk_place>();
    }
    *file = std::move(**under);
  }
  disk_place place = place_of(std::move(*file));
  place.device = device;
  return std::optional(std::move(place));
}

result<bool> file_home::exists(const std::string& name) const {
  struct stat about {};
  if (::lstat(name.c_str(), &about) == 0) {
    return true;
  }
  return errno == ENOENT ? result<bool>(false) : system_error(errno, name);
}

/// In its folder, on stable storage, and never over another.
result<void> file_home::rename(const std::string& from, const std::string& to) {
  return rename_durably(from, to);
}

/// The loop device over it: the one there is, or a new one.
result<std::string> file_home::open(const std::string& name) {
  auto found = find_loop(name);
  if (!found) {
    return found.error();
  }
  return *found ? result<std::string>(std::move(**found))
                : attach_loop(name, place().device);
}

result<void> file_home::close(const std::string& name) {
  const auto loop = find_loop(name);
  if (!loop) {
    return loop.error();
  }
  return *loop ? detach_loop(**loop) : result<void>();
}

result<std::uint64_t> file_home::held_bytes() const {
  const auto name = present_name();
  if (!name) {
    return name.error();
  }
  struct stat about {};
  if (::stat(name->c_str(), &about) != 0) {
    return system_error(errno, *name);
  }
  // st_blocks counts 512 bytes on every file system.
  return std::min(static_cast<std::uint64_t>(about.st_blocks) * sector_bytes,
                  static_cast<std::uint64_t>(about.st_size));
}

result<std::optional<disk_space>> file_home::space() const {
  const auto name = present_name();
  if (!name) {
    return name.error();
  }
  auto here = space_at(*name);
  return here ? result<std::optional<disk_space>>(std::move(*here))
              : result<std::optional<disk_space>>(here.error());
}

result<disk_space> file_home::space_at(const std::string& path) {
  struct stat about {};
  struct statvfs room {};
  if (::stat(path.c_str(), &about) != 0 ||
      ::statvfs(path.c_str(), &room) != 0) {
    return system_error(errno, path);
  }
  return disk_space{
      fmt::format(
          "file system {}:{}", major(about.st_dev), minor(about.st_dev)),
      std::uint64_t{room.f_bavail} * room.f_frsize};
}

result<void> file_home::resize_at(const std::string& name, std::uint64_t size) {
  const unique_fd file(::open(name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  struct stat about {};
  if (!file || ::fstat(file.get(), &about) != 0) {
    return system_error(errno, name);
  }
  if (!S_ISREG(about.st_mode)) {
    return error(errc::refused, name + " is not a regular file");
  }
  if (static_cast<std::uint64_t>(about.st_size) == size) {
    return {};
  }
  // A loop device does not see it when its file changes.
  if (auto closed = close(name); !closed) {
    return closed;
  }
  if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0 ||
      ::fsync(file.get()) != 0) {
    return system_error(errno, "resize " + name);
  }
  return {};
}

result<void> file_home::remove_at(const std::string& name) {
  if (auto closed = close(name); !closed) {
    return closed;
  }
  const auto alone = open_alone(name);
  return alone ? remove_durably(name) : result<void>(alone.error());
}

}  // namespace teleport
