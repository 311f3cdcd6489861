// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/guest_lock.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/disk/disk_book.hpp"

namespace teleport {

namespace {

/// To clear up one disk takes a rename and an fsync, or two of LVM's commands.
constexpr std::chrono::seconds longest_wait{5};
constexpr std::chrono::milliseconds pause_between{20};

constexpr const char* leftovers_lock = "leftovers";

std::string lock_name(const std::string& uuid) {
  return "guest-" + uuid;
}

}  // namespace

result<unique_fd> lock_guest(const std::string& run_path,
                             const std::string& uuid,
                             if_locked then) {
  const auto until = std::chrono::steady_clock::now() + longest_wait;
  auto lock = take_lock(run_path, lock_name(uuid));
  while (!lock && then == if_locked::wait &&
         lock_is_held(run_path, leftovers_lock) &&
         std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(pause_between);
    lock = take_lock(run_path, lock_name(uuid));
  }
  if (!lock) {
    return in_context("another teleport or seed of this guest is under way",
                      lock.error());
  }
  return lock;
}

result<std::vector<unique_fd>> lock_guest_and_name(const std::string& run_path,
                                                   const guest_info& guest,
                                                   if_locked then) {
  std::vector<unique_fd> locks;
  for (const std::string& uuid : {guest.uuid, uuid_of_name(guest.name)}) {
    if (!locks.empty() && uuid == guest.uuid) {
      break;  // known by its name alone
    }
    auto lock = lock_guest(run_path, uuid, then);
    if (!lock) {
      return lock.error();
    }
    locks.push_back(std::move(*lock));
  }
  return locks;
}

result<unique_fd> lock_leftovers(const std::string& run_path) {
  return take_lock(run_path, leftovers_lock);
}

bool is_guest_locked(const std::string& run_path, const std::string& uuid) {
  return lock_is_held(run_path, lock_name(uuid));
}

}  // namespace teleport
