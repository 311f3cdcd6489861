// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/kept_removal.hpp"

#include <memory>
#include <optional>

#include <fmt/format.h>

#include "libteleport/base/folder.hpp"
#include "libteleport/migrate/journal.hpp"
#include "xl-teleport/setup/guest_claims.hpp"
#include "xl-teleport/source/unsettled.hpp"

namespace teleport {

namespace {

error needed(const std::string& why) {
  return {errc::refused, why};
}

/// Refuses a disk of a guest of which a teleport has not come to its end: the
/// disk may be the one that the guest is to be resumed from. What a damaged
/// entry promises is not known.
result<void> check_settled(const kept_disk& disk, const settings& options) {
  for (const char* extension : {".source", ".destination"}) {
    const auto files = files_in(options.journal_path(), extension);
    if (!files && files.error().code != errc::not_found) {
      return files.error();
    }
    for (const std::string& file :
         files ? *files : std::vector<std::string>()) {
      const auto entry = journal::read_file(file);
      if (!entry) {
        return entry.error();
      }
      if (is_unsettled(*entry) &&
          (entry->uuid == disk.uuid || entry->guest == disk.guest)) {
        return needed("a teleport of " + disk.guest +
                      " has not come to its end; see 'teleportctl teleports'");
      }
    }
  }
  return {};
}

result<void> check_disk(const kept_disk& disk, const disk_home& home) {
  const std::string& name = place_of(disk);
  if (!home.can_remove()) {
    return needed(name + " is a device, which cannot be deleted");
  }
  const auto there = home.found();
  if (!there) {
    return there.error();
  }
  if (disk.shadow ? !there->aside : !there->backing) {
    return needed(disk.shadow && there->backing
                      ? "it has the name from which its guest is started, " +
                            disk.shadow->backing
                      : name + " is not there (a store that is not mounted?)");
  }
  if (!disk.identity) {
    return needed("an older release did not note which disk it is");
  }
  return {};
}

}  // namespace

result<void> check_removable(const kept_item& item, const settings& options) {
  switch (item.standing) {
    case kept_standing::kept:
      break;
    case kept_standing::in_use:
      return needed("a guest has it");
    case kept_standing::of_guest:
      return needed("its guest runs from it");
    case kept_standing::unsettled:
      return needed("it is not known whether its guest runs from it");
  }
  if (const auto settled = check_settled(item.disk, options); !settled) {
    return settled;
  }
  const auto home = home_of(item.disk, options);
  if (!home) {
    return home.error();
  }
  if (const auto good = check_disk(item.disk, **home); !good) {
    return good;
  }
  return check_identity(item.disk, (*home)->identity());
}

result<void> remove_kept(const kept_item& item, const settings& options) {
  const kept_disk& disk = item.disk;
  guest_info guest;
  guest.name = disk.guest;
  guest.uuid = disk.uuid;
  auto locks = guest_claims::take(options.run_path, guest);
  const auto home = home_of(disk, options);
  if (!locks || !home) {
    return locks ? home.error() : locks.error();
  }
  if (const auto claimed = locks->claim(disk, **home); !claimed) {
    return claimed;
  }
  auto book = disk_book::open(options.kept_disks_path());
  const auto known = book ? book->find(disk.uuid, disk.vdev)
                          : result<std::optional<kept_disk>>(book.error());
  if (!known) {
    return known.error();
  }
  if (!*known || kept_disk_text(**known) != kept_disk_text(disk)) {
    return error(errc::busy, "a session has had it meanwhile");
  }
  const auto review = kept_review::look(options);
  if (!review) {
    return review.error();
  }
  kept_item now = item;
  now.standing = review->of(disk);
  auto done = check_removable(now, options);
  if (done) {
    done = review->check_unused(place_of(disk));
  }
  if (done) {
    // The entry goes last: without it nobody would find the disk.
    done = (*home)->remove(place_of(disk), *disk.identity);
  }
  return done ? book->remove(disk.uuid, disk.vdev) : done;
}

}  // namespace teleport
