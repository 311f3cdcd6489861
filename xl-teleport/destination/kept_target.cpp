// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/kept_target.hpp"

#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"

namespace teleport {

namespace {

kept_disk wanted(const brought_disk& brought) {
  kept_disk entry;
  entry.guest = brought.guest.name;
  entry.uuid = brought.guest.uuid;
  entry.vdev = brought.disk.vdev;
  entry.size = brought.disk.size;
  entry.peer = brought.peer.key;
  return entry;
}

}  // namespace

result<std::unique_ptr<disk_home>> home_of(const kept_disk& kept,
                                           disk_store& store) {
  return kept.shadow ? home_at(*kept.shadow) : store.home(kept.partial);
}

std::optional<disk_identity> identity_of(const disk_home& home) {
  auto told = home.identity();
  if (!told) {
    log_warning(told.error().context);
    return std::nullopt;
  }
  return std::move(*told);
}

result<std::optional<kept_disk>> usable_entry(const disk_book& book,
                                              disk_store& store,
                                              const kept_review& review,
                                              const brought_disk& brought) {
  const auto& guest = brought.guest;
  const auto& disk = brought.disk;
  if (const auto may = check_may_fill(book, brought); !may) {
    return may.error();
  }
  auto kept = book.find_for(wanted(brought));
  if (!kept || !*kept) {
    return kept;
  }
  if (review.of(**kept) != kept_standing::kept) {
    log_warning(
        fmt::format("{} of {}: what is kept at {} is a guest's, or may "
                    "be; a new target is made",
                    disk.vdev,
                    guest.name,
                    place_of(**kept)));
    return std::optional<kept_disk>();
  }
  const auto home = home_of(**kept, store);
  const auto there =
      home ? (*home)->found() : result<disk_home::names>(home.error());
  if (!there) {
    return there.error();  // what cannot be looked at is not gone
  }
  const bool fits = (*kept)->size == disk.size || (*home)->can_resize();
  if (!fits || !there->any()) {
    log_info(
        fmt::format("{} of {}: what was kept at {} is gone or of another "
                    "size; a new target is made",
                    disk.vdev,
                    guest.name,
                    place_of(**kept)));
    return std::optional<kept_disk>();
  }
  if ((*kept)->shadow && there->aside && there->backing &&
      (*home)->place().aside != (*home)->place().backing) {
    // It could not be given its own name again once the guest runs from it.
    log_warning(
        fmt::format("{} of {}: {} is taken, the name of what is kept "
                    "at {}; a new target is made",
                    disk.vdev,
                    guest.name,
                    (*home)->place().backing,
                    place_of(**kept)));
    return std::optional<kept_disk>();
  }
  if (const auto same = check_identity(**kept, (*home)->identity()); !same) {
    log_warning(fmt::format("{} of {}: {}; a new target is made",
                            disk.vdev,
                            guest.name,
                            same.error().context));
    return std::optional<kept_disk>();
  }
  return kept;
}

result<void> check_may_fill(const disk_book& book,
                            const brought_disk& brought) {
  const auto& [guest, disk, peer] = brought;
  if (!peer.rights.is_limited()) {
    return {};
  }
  for (const auto& found :
       {book.find(guest.uuid, disk.vdev), book.find_for(wanted(brought))}) {
    if (!found) {
      return found.error();
    }
    if (*found && (*found)->peer != peer.key) {
      return error(errc::refused,
                   fmt::format("what is kept for {} of guest '{}' was not "
                               "brought by {}, which is limited to its own; "
                               "'teleportctl shadow forget {}' on this host "
                               "makes room for it",
                               disk.vdev,
                               guest.name,
                               peer.name,
                               (*found)->uuid));
    }
  }
  return {};
}

result<void> check_not_cut(const kept_disk& kept, const guest_disk& disk) {
  if (!kept.shadow || kept.size <= disk.size) {
    return {};
  }
  return error(
      errc::refused,
      fmt::format("what is kept at {} for {} has {} bytes and would be cut to "
                  "{}; 'teleportctl shadow remove {}' on this host deletes it, "
                  "and the next attempt makes a new one",
                  place_of(kept),
                  kept.guest,
                  kept.size,
                  disk.size,
                  kept.guest));
}

}  // namespace teleport
