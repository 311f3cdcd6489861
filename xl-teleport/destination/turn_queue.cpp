// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/turn_queue.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/folder.hpp"
#include "libteleport/base/lock_file.hpp"
#include "libteleport/base/log.hpp"
#include "xl-teleport/setup/lock_names.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

/// A session that asks more than once a second and has not for so long is
/// stopped. A step of the clock lets others pass for a moment, and no more.
constexpr std::chrono::seconds longest_pause{10};

bool is_recent(const std::string& path) {
  std::error_code failure;
  const auto written = fs::last_write_time(path, failure);
  return !failure && fs::file_time_type::clock::now() - written < longest_pause;
}

}  // namespace

void turn_queue::join() {
  // The steady clock is the same for all processes of a boot.
  std::string name =
      fmt::format("{}{:020}-{}",
                  queue_lock_prefix,
                  std::chrono::steady_clock::now().time_since_epoch().count(),
                  ::getpid());
  auto lock = take_lock(folder_, name);
  if (!lock) {
    log_warning("no place in the queue: " + lock.error().context);
    return;
  }
  lock_ = std::move(*lock);
  name_ = std::move(name);
}

bool turn_queue::is_first() {
  if (name_.empty()) {
    join();
  }
  if (name_.empty()) {
    return true;
  }
  write_lock_note(lock_, "waits");
  return !any_waits(name_);
}

bool turn_queue::others_wait() const {
  return any_waits({});
}

bool turn_queue::any_waits(const std::string& end) const {
  const auto all = files_in(folder_, ".lock");
  return all && std::ranges::any_of(*all, [&](const std::string& path) {
           const std::string other = fs::path(path).stem();
           return other.starts_with(queue_lock_prefix) && other != name_ &&
                  (end.empty() || other < end) && is_recent(path) &&
                  lock_is_held(folder_, other);
         });
}

void turn_queue::leave() noexcept {
  if (!name_.empty()) {
    remove_lock(folder_, name_, std::move(lock_));
    name_.clear();
  }
}

}  // namespace teleport
