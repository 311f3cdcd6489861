// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/pause_list.hpp"

#include <algorithm>
#include <cerrno>
#include <sstream>

#include <fcntl.h>
#include <sys/file.h>

#include "libteleport/base/durable_file.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/base/units.hpp"

namespace teleport::index {

namespace {

/// Some thousands of disks with long paths.
constexpr std::size_t max_file_bytes = 16_MiB;

/// The line that stands for every disk.
constexpr const char* all_disks = "*";

/// A lock on the folder itself, which needs no further file; closing the
/// descriptor releases it.
result<unique_fd> lock_folder(const std::string& folder) {
  unique_fd lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  int done = lock ? 0 : -1;
  while (lock && (done = ::flock(lock.get(), LOCK_EX)) != 0 && errno == EINTR) {
  }
  return done == 0 ? result<unique_fd>(std::move(lock))
                   : system_error(errno, folder);
}

}  // namespace

bool paused_disks::covers(const std::string& path) const {
  return all || std::ranges::find(paths, path) != paths.end();
}

result<paused_disks> pause_list::read() const {
  paused_disks now;
  const auto text = read_small_file(folder_ + "/" + file_name, max_file_bytes);
  if (!text) {
    return text.error().code == errc::not_found ? result<paused_disks>(now)
                                                : text.error();
  }
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (line == all_disks) {
      now.all = true;
    } else if (line.starts_with('/')) {
      now.paths.push_back(line);
    }
  }
  return now;
}

result<void> pause_list::edit(const change& how) {
  const auto lock = lock_folder(folder_);
  if (!lock) {
    return lock.error();
  }
  const auto before = read();
  if (!before) {
    return before.error();
  }
  paused_disks now = *before;
  if (auto done = how(now); !done || now == *before) {
    return done;
  }
  std::string text = now.all ? all_disks + std::string("\n") : "";
  for (const std::string& path : now.paths) {
    text += path + '\n';
  }
  const std::string file = folder_ + "/" + file_name;
  return text.empty() ? remove_durably(file) : write_durably(file, text, 0600);
}

result<void> pause_list::pause(const std::vector<std::string>& paths) {
  return edit([&](paused_disks& now) -> result<void> {
    for (const std::string& path : paths) {
      if (std::ranges::find(now.paths, path) == now.paths.end()) {
        now.paths.push_back(path);
      }
    }
    return {};
  });
}

result<void> pause_list::pause_all() {
  return edit([](paused_disks& now) -> result<void> {
    now.all = true;
    return {};
  });
}

result<void> pause_list::resume(const std::vector<std::string>& paths) {
  return edit([&](paused_disks& now) -> result<void> {
    if (now.all) {
      return error(errc::busy,
                   "all disks are paused, which only resuming all ends");
    }
    std::erase_if(now.paths, [&](const std::string& path) {
      return std::ranges::find(paths, path) != paths.end();
    });
    return {};
  });
}

result<void> pause_list::resume_all() {
  return edit([](paused_disks& now) -> result<void> {
    now = paused_disks();
    return {};
  });
}

result<void> pause_list::rename(const std::string& from,
                                const std::string& to) {
  return edit([&](paused_disks& now) -> result<void> {
    if (std::erase(now.paths, from) != 0 && !to.empty() &&
        std::ranges::find(now.paths, to) == now.paths.end()) {
      now.paths.push_back(to);
    }
    return {};
  });
}

}  // namespace teleport::index
