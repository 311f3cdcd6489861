// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/kept_items.hpp"

#include <algorithm>
#include <ctime>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/disk/disk_store.hpp"
#include "libteleport/net/peer_files.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

constexpr std::size_t shown_digits = 8;

constexpr const char* columns = "{:20} {:5} {:9} {:>9} {:>9} {:>6} {:20} {}\n";

/// @param identity  of a host, as the book has it
std::string name_of_host(const peer_files& peers, const std::string& identity) {
  const auto known = std::ranges::find(peers, identity, &peer_file::host);
  return known != peers.end() ? known->name : identity.substr(0, shown_digits);
}

/// Where the disk is, and how much it holds; what cannot be looked at is not
/// known to be gone.
void look_at_disk(kept_item& item, const settings& options) {
  const auto home = home_of(item.disk, options);
  const auto there =
      home ? (*home)->found() : result<disk_home::names>(home.error());
  item.is_there = !there || there->any();
  if (there && there->any()) {
    if (const auto held = (*home)->held_bytes()) {
      item.held = *held;
    }
  }
}

}  // namespace

result<std::unique_ptr<disk_home>> home_of(const kept_disk& disk,
                                           const settings& options) {
  if (disk.shadow) {
    return home_at(*disk.shadow);
  }
  const auto store = open_store(options.store);
  return store ? (*store)->home(disk.partial)
               : result<std::unique_ptr<disk_home>>(store.error());
}

result<std::vector<kept_item>> look_at_kept(const settings& options) {
  const auto book = disk_book::open(options.kept_disks_path());
  const auto disks =
      book ? book->all() : result<std::vector<kept_disk>>(book.error());
  if (!disks) {
    return disks.error();
  }
  const auto review = kept_review::look(options);
  if (!review) {
    return review.error();
  }
  const auto peers = read_peer_files(options.keys.peers);
  const std::int64_t now = std::time(nullptr);
  std::vector<kept_item> items;
  for (const kept_disk& disk : *disks) {
    kept_item item;
    item.standing = review->of(disk);
    if (item.standing == kept_standing::of_guest) {
      continue;
    }
    item.disk = disk;
    // An entry that is removed at this moment has no age.
    const auto written = book->written_at(disk.uuid, disk.vdev);
    item.written = written ? *written : now;
    item.age =
        std::chrono::seconds(std::max<std::int64_t>(0, now - item.written));
    item.host = name_of_host(peers ? *peers : peer_files(), disk.peer);
    look_at_disk(item, options);
    items.push_back(std::move(item));
  }
  std::ranges::sort(items, {}, [](const kept_item& item) {
    return std::tie(item.disk.guest, item.disk.uuid, item.disk.vdev);
  });
  return items;
}

const char* kind_of(const kept_item& item) {
  return item.standing == kept_standing::unsettled ? "unsettled"
         : item.disk.shadow                        ? "shadow"
                                                   : "partial";
}

nlohmann::json to_json(const kept_item& item) {
  const auto or_null = [](const auto& value, bool known) {
    return known ? nlohmann::json(value) : nlohmann::json();
  };
  return {{"guest", item.disk.guest},
          {"uuid", item.disk.uuid},
          {"vdev", item.disk.vdev},
          {"bytes", item.disk.size},
          {"held_bytes", or_null(item.held.value_or(0), item.held.has_value())},
          {"kind", kind_of(item)},
          {"in_use", item.standing == kept_standing::in_use},
          {"there", item.is_there},
          {"since", utc_text(item.written)},
          {"age_seconds", item.age.count()},
          {"own", item.disk.own},
          {"host", or_null(item.host, !item.host.empty())},
          {"host_sha256", or_null(item.disk.peer, !item.disk.peer.empty())},
          {"path", place_of(item.disk)}};
}

std::string age_text(std::chrono::seconds age) {
  using std::chrono::hours;
  using std::chrono::minutes;
  constexpr hours day(24);
  if (age >= 2 * day) {
    return fmt::format("{} d", age / day);
  }
  return age >= hours(2) ? fmt::format("{} h", age / hours(1))
                         : fmt::format("{} min", age / minutes(1));
}

std::string heading_of_items() {
  return fmt::format(
      columns, "GUEST", "DISK", "KIND", "SIZE", "HOLDS", "AGE", "HOST", "PATH");
}

std::string line_of(const kept_item& item) {
  const std::string host = item.host.empty() ? "?" : item.host;
  return fmt::format(columns,
                     item.disk.guest,
                     item.disk.vdev,
                     kind_of(item),
                     human_bytes(item.disk.size),
                     item.held ? human_bytes(*item.held) : "?",
                     age_text(item.age),
                     (item.disk.own ? "to " : "from ") + host,
                     place_of(item.disk) +
                         (!item.is_there ? " (is not there)"
                          : item.standing == kept_standing::in_use ? " (in use)"
                                                                   : ""));
}

}  // namespace teleport
