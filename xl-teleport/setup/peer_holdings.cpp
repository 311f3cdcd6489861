// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/peer_holdings.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "libteleport/base/log.hpp"
#include "libteleport/disk/disk_home.hpp"
#include "libteleport/disk/disk_store.hpp"
#include "libteleport/session/setup_records.hpp"
#include "xl-teleport/setup/kept_standing.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"

namespace teleport {

namespace {

/// Sizes by a guest's uuid and a disk's name.
using sizes = std::map<std::pair<std::string, std::string>, std::uint64_t>;

sizes sizes_of(const std::string& key,
               const std::vector<kept_disk>& kept,
               const std::vector<kept_disk>& arrived) {
  sizes held;
  for (const auto* list : {&arrived, &kept}) {
    for (const kept_disk& disk : *list) {
      if (disk.peer == key && !disk.own) {
        held[{disk.uuid, disk.vdev}] = disk.size;
      }
    }
  }
  return held;
}

std::uint64_t sum_of(const sizes& held) {
  std::uint64_t bytes = 0;
  for (const auto& [disk, size] : held) {
    bytes += size;
  }
  return bytes;
}

/// What cannot be looked at is there.
bool is_there(const kept_disk& disk, disk_store& store) {
  const auto home =
      disk.shadow ? home_at(*disk.shadow) : store.home(disk.partial);
  const auto names =
      home ? (*home)->found() : result<disk_home::names>(home.error());
  if (!names) {
    return true;
  }
  const auto same =
      names->any() ? check_identity(disk, (*home)->identity()) : result<void>();
  return names->any() && (same || same.error().code != errc::mismatch);
}

result<disk_book> open_arrived(const settings& config) {
  return disk_book::open(config.state_path + "/arrived");
}

}  // namespace

result<peer_holdings> peer_holdings::read(const settings& config) {
  const auto book = disk_book::open(config.kept_disks_path());
  auto kept = book ? book->all() : result<std::vector<kept_disk>>(book.error());
  if (!kept) {
    return kept.error();
  }
  const auto others = open_arrived(config);
  auto arrived =
      others ? others->all() : result<std::vector<kept_disk>>(others.error());
  const auto store = open_store(config.store);
  if (!arrived || !store) {
    return !arrived ? arrived.error() : store.error();
  }
  std::erase_if(*arrived, [&](const kept_disk& disk) {
    return !is_there(disk, **store);
  });
  return peer_holdings(std::move(*kept), std::move(*arrived));
}

std::uint64_t peer_holdings::bytes_of(const std::string& key) const {
  return sum_of(sizes_of(key, kept_, arrived_));
}

std::uint64_t peer_holdings::bytes_with(const std::string& key,
                                        const guest_info& guest) const {
  sizes held = sizes_of(key, kept_, arrived_);
  for (const guest_disk& disk : moved_disks(guest)) {
    const std::pair place(guest.uuid, disk.vdev);
    // What was seeded for the name becomes the guest's.
    held.erase({uuid_of_name(guest.name), disk.vdev});
    const auto own = std::ranges::find_if(kept_, [&](const kept_disk& one) {
      return one.own && one.uuid == guest.uuid && one.vdev == disk.vdev;
    });
    const bool is_own = own != kept_.end() && !held.contains(place);
    held[place] = disk.size - (is_own ? std::min(own->size, disk.size) : 0);
  }
  return sum_of(held);
}

bool peer_holdings::has_of(const std::string& key,
                           const std::string& uuid) const {
  const auto is_of_both = [&](const kept_disk& disk) {
    return disk.peer == key && disk.uuid == uuid;
  };
  return std::ranges::any_of(kept_, is_of_both) ||
         std::ranges::any_of(arrived_, is_of_both);
}

result<void> note_arrived_disk(const kept_disk& disk, const settings& config) {
  if (disk.own || !rights_of_peer(config.keys.peers, disk.peer).is_limited()) {
    return {};
  }
  auto book = open_arrived(config);
  return book ? book->write(disk) : result<void>(book.error());
}

}  // namespace teleport
