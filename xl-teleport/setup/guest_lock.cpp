// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/guest_lock.hpp"

#include <utility>

#include "libteleport/base/lock_file.hpp"
#include "libteleport/disk/disk_book.hpp"
#include "xl-teleport/setup/lock_names.hpp"

namespace teleport {

namespace {

constexpr const char* leftovers_lock = "leftovers";

std::string lock_name(const std::string& uuid) {
  return std::string(guest_lock_prefix) + uuid;
}

}  // namespace

result<unique_fd> lock_guest(const std::string& run_path,
                             const std::string& uuid,
                             if_locked then) {
  auto lock = wait_for_lock(run_path, lock_name(uuid), [&] {
    return then == if_locked::wait && lock_is_held(run_path, leftovers_lock);
  });
  if (!lock) {
    return lock.error().code == errc::busy
               ? in_context(
                     "another teleport or seed of this guest is under "
                     "way",
                     lock.error())
               : lock.error();
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
  return wait_for_lock(run_path, leftovers_lock);
}

bool is_guest_locked(const std::string& run_path, const std::string& uuid) {
  return lock_is_held(run_path, lock_name(uuid));
}

}  // namespace teleport
