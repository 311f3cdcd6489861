// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/store_promises.hpp"

#include <algorithm>

#include "libteleport/base/lock_file.hpp"
#include "xl-teleport/setup/guest_lock.hpp"

namespace teleport {

result<std::uint64_t> promised_to_others(const guest_info& guest,
                                         const disk_book& book,
                                         disk_store& store,
                                         const std::string& run_path) {
  const auto entries = book.all();
  if (!entries) {
    return entries.error();
  }
  std::uint64_t promised = 0;
  for (const kept_disk& entry : *entries) {
    if (entry.shadow || entry.uuid == guest.uuid ||
        !store.owns(entry.partial) || !is_guest_locked(run_path, entry.uuid)) {
      continue;
    }
    const auto home = store.home(entry.partial);
    const auto held =
        home ? (*home)->held_bytes() : result<std::uint64_t>(home.error());
    if (held) {  // what is gone takes no space
      promised += entry.size - std::min(entry.size, *held);
    }
  }
  return promised;
}

result<unique_fd> lock_store(const std::string& run_path) {
  return wait_for_lock(run_path, "store");
}

}  // namespace teleport
