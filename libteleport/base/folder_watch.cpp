// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/folder_watch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include <sys/inotify.h>
#include <unistd.h>

namespace teleport {

namespace {

constexpr std::uint32_t interesting =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE |
    IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

/// Some hundred events at once.
constexpr std::size_t buffer_bytes = 16384;

}  // namespace

result<folder_watch> folder_watch::open(const std::vector<std::string>& folders,
                                        std::string only) {
  unique_fd events(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!events) {
    return system_error(errno, "watch folders");
  }
  folder_watch made(std::move(events));
  made.only_ = std::move(only);
  for (const std::string& path : folders) {
    made.folders_.push_back({path, -1});
  }
  static_cast<void>(made.look_again());
  return made;
}

bool folder_watch::look_again() {
  bool changed = false;
  for (watched& folder : folders_) {
    // Adding what is watched already changes nothing and gives its number.
    const int watch =
        ::inotify_add_watch(events_.get(), folder.path.c_str(), interesting);
    if (watch == folder.watch) {
      continue;
    }
    changed = true;
    const int old = std::exchange(folder.watch, watch);
    const bool used = std::ranges::any_of(
        folders_, [old](const watched& other) { return other.watch == old; });
    if (old >= 0 && !used) {
      static_cast<void>(::inotify_rm_watch(events_.get(), old));
    }
  }
  return changed;
}

void folder_watch::forget(int watch) {
  for (watched& folder : folders_) {
    if (folder.watch == watch) {
      folder.watch = -1;
    }
  }
}

bool folder_watch::all_watched() const {
  return std::ranges::none_of(
      folders_, [](const watched& folder) { return folder.watch < 0; });
}

bool folder_watch::drain() {
  bool changed = false;
  alignas(inotify_event) std::array<char, buffer_bytes> buffer{};
  for (;;) {
    const ssize_t got = ::read(events_.get(), buffer.data(), buffer.size());
    if (got <= 0) {
      return changed;  // EAGAIN: that was all
    }
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      const char* const name = buffer.data() + at + sizeof(event);
      at += sizeof(event) + event.len;
      if ((event.mask & IN_IGNORED) != 0) {
        forget(event.wd);
      }
      // Events of an overflow, and of a folder itself, carry no name.
      changed = changed || event.len == 0 ||
                (only_.empty() ? name[0] != '.' : only_ == name);
    }
  }
}

}  // namespace teleport
