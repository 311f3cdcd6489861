// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/placement.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/disk/file_device.hpp"
#include "xl-teleport/destination/kept_target.hpp"

namespace teleport {

namespace {

/// A file's name made of what a guest's owner chose: only harmless letters.
std::string harmless(const std::string& text) {
  std::string name;
  for (const char c : text.substr(0, 60)) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                       (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
    name += plain && !(name.empty() && c == '.') ? c : '_';
  }
  return name.empty() ? "guest" : name;
}

}  // namespace

result<foreseen> foresee(const guest_info& guest,
                         const disk_book& book,
                         disk_store& store) {
  foreseen out;
  for (const guest_disk& disk : moved_disks(guest)) {
    const auto kept = usable_entry(book, store, guest, disk);
    if (!kept) {
      return kept.error();
    }
    offered_target target;
    target.vdev = disk.vdev;
    if (!*kept) {
      target.kind = "new";
      out.bytes_needed += disk.size;
    } else {
      target.kind = (*kept)->shadow ? "shadow" : "partial";
      out.bytes_needed += disk.size - std::min(disk.size, (*kept)->size);
    }
    out.disks.push_back(std::move(target));
  }
  return out;
}

result<std::unique_ptr<placement>> placement::make(const guest_info& guest,
                                                   disk_store& store,
                                                   disk_book& book) {
  std::unique_ptr<placement> made(new placement(guest, store, book));
  for (const guest_disk& disk : moved_disks(guest)) {
    const auto added = made->add(disk);
    if (!added) {
      // What was made so far stays, recorded, for the next attempt.
      (void)made->put_back();
      return in_context("target for " + disk.vdev, added.error());
    }
  }
  return made;
}

result<void> placement::add(const guest_disk& disk) {
  auto kept = usable_entry(book_, store_, guest_, disk);
  if (!kept) {
    return kept.error();
  }
  spot place;
  place.disk = disk;
  const auto opened = *kept ? adopt(**kept, place) : create(disk, place);
  if (!opened) {
    return opened;
  }
  auto device = open_device(place.path, open_mode::read_write);
  if (!device) {
    return device.error();
  }
  if ((*device)->size() != disk.size) {
    return error(errc::mismatch,
                 fmt::format("{} has {} bytes, the source's disk {}",
                             place.path,
                             (*device)->size(),
                             disk.size));
  }
  place.device = std::move(*device);
  spots_.push_back(std::move(place));
  return {};
}

/// What was kept for the guest's name alone is the guest's from now on.
result<void> placement::take_over(const kept_disk& kept, spot& place) {
  place.uuid = kept.uuid;
  if (kept.uuid == guest_.uuid || guest_.uuid == uuid_of_name(guest_.name)) {
    return {};
  }
  kept_disk entry = kept;
  entry.uuid = guest_.uuid;
  const auto written = book_.write(entry);
  if (!written) {
    return written;
  }
  place.uuid = guest_.uuid;
  return book_.remove(kept.uuid, kept.vdev);
}

/// The guest's disk may have another size than when it was here.
result<void> placement::fit(const kept_disk& kept,
                            disk_home& home,
                            const spot& place) {
  const auto fitted = home.resize(place.disk.size);
  if (!fitted) {
    error cause = in_context(
        fmt::format("what is kept here for {} has another size", guest_.name),
        fitted.error());
    cause.context += fmt::format(
        "; delete it after 'teleportctl shadow forget {}', and the next "
        "attempt makes a new one",
        guest_.name);
    return cause;
  }
  if (kept.size == place.disk.size) {
    return {};
  }
  log_info(fmt::format("{} of {}: {} has {} bytes now, {} before",
                       place.disk.vdev,
                       guest_.name,
                       place_of(kept),
                       place.disk.size,
                       kept.size));
  kept_disk entry = kept;
  entry.uuid = place.uuid;
  entry.size = place.disk.size;
  return book_.write(entry);
}

result<void> placement::adopt(const kept_disk& kept, spot& place) {
  auto home = home_of(kept, store_);
  if (!home) {
    return home.error();
  }
  if (auto taken = take_over(kept, place); !taken) {
    return taken;
  }
  const auto there = (*home)->found();
  if (!there) {
    return there.error();
  }
  if (kept.shadow && !there->aside) {
    // An attempt that was killed after settle() has left it under its old name.
    if (auto aside = (*home)->set_aside(); !aside) {
      return aside;
    }
  }
  if ((*home)->can_resize()) {
    if (auto fitted = fit(kept, **home, place); !fitted) {
      return fitted;
    }
  }
  if (kept.shadow) {
    auto path = (*home)->open_aside();
    if (!path) {
      return path.error();
    }
    if (auto same = check_identity(kept, identify_disk(*path)); !same) {
      return same;
    }
    place.kind = "shadow";
    place.shadow = std::move(*home);
    place.path = *path;
    return {};
  }
  auto placed = store_.open(kept.partial);
  if (!placed) {
    return placed.error();
  }
  if (auto same = check_identity(kept, identify_disk(placed->device)); !same) {
    return same;
  }
  place.kind = "partial";
  place.path = placed->device;
  place.placed = std::move(*placed);
  place.settled = true;
  return {};
}

result<void> placement::create(const guest_disk& disk, spot& place) {
  const std::string name = harmless(guest_.name) + "-" + harmless(disk.vdev);
  auto placed = store_.create(name, disk.size);
  if (!placed && placed.error().code == errc::busy) {
    // Another guest's disk has that name: this one's uuid tells them apart.
    placed = store_.create(name + "-" + guest_.uuid.substr(0, 8), disk.size);
  }
  if (!placed) {
    return placed.error();
  }
  kept_disk entry;
  entry.guest = guest_.name;
  entry.uuid = guest_.uuid;
  entry.vdev = disk.vdev;
  entry.size = disk.size;
  entry.partial = placed->backing;
  if (const auto home = store_.home(placed->backing)) {
    entry.identity = identity_of(**home);
  }
  const auto written = book_.write(entry);
  if (!written) {
    (void)store_.remove(*placed);  // ours, empty, and nobody would find it
    return written;
  }
  place.uuid = guest_.uuid;
  place.kind = "new";
  place.path = placed->device;
  place.blank = placed->reads_zero;
  place.placed = std::move(*placed);
  place.settled = true;
  return {};
}

std::vector<offered_target> placement::described() const {
  std::vector<offered_target> list;
  for (const spot& place : spots_) {
    list.push_back(
        {place.disk.vdev,
         place.kind,
         place.shadow ? place.shadow->place().backing : place.placed->backing});
  }
  return list;
}

std::vector<target_disk> placement::targets() const {
  std::vector<target_disk> list;
  for (const spot& place : spots_) {
    list.push_back({place.device.get(), place.blank});
  }
  return list;
}

std::map<std::string, std::string> placement::paths() const {
  std::map<std::string, std::string> paths;
  for (const spot& place : spots_) {
    paths[place.disk.vdev] = place.path;
  }
  return paths;
}

void placement::close_devices() {
  for (spot& place : spots_) {
    place.device.reset();
  }
}

result<void> placement::settle() {
  for (spot& place : spots_) {
    // From now on the disk may be read by others: nothing is blank any more.
    place.blank = false;
    if (place.settled) {
      continue;
    }
    const auto flushed = place.device->flush();
    if (!flushed) {
      return flushed;
    }
    place.device.reset();
    const auto closed = place.shadow->close_aside();
    if (!closed) {
      return closed;
    }
    auto path = place.shadow->bring_back();
    if (!path) {
      return path.error();
    }
    place.path = *path;
    place.settled = true;
    auto device = open_device(place.path, open_mode::read_write);
    if (!device) {
      return device.error();
    }
    place.device = std::move(*device);
  }
  return {};
}

result<void> placement::flush() {
  for (const spot& place : spots_) {
    const auto flushed = place.device->flush();
    if (!flushed) {
      return in_context(place.disk.vdev, flushed.error());
    }
  }
  return {};
}

result<void> placement::hand_to_guest() {
  close_devices();
  for (const spot& place : spots_) {
    const auto removed = book_.remove(place.uuid, place.disk.vdev);
    if (!removed) {
      return removed;
    }
  }
  return {};
}

kept_disk placement::shadow_entry(const spot& place,
                                  const disk_home& home) const {
  kept_disk entry;
  entry.guest = guest_.name;
  entry.uuid = place.uuid;
  entry.vdev = place.disk.vdev;
  entry.size = place.disk.size;
  entry.shadow = home.place();
  entry.identity = identity_of(home);
  return entry;
}

result<void> placement::keep_as_shadows() {
  close_devices();
  for (spot& place : spots_) {
    if (place.shadow) {
      const auto closed = place.shadow->close_aside();
      if (!closed) {
        return closed;
      }
      continue;
    }
    // Written down first: whoever adopts it finishes what was cut short here.
    auto home = find_home(place.path);
    if (!home) {
      return home.error();
    }
    auto done = book_.write(shadow_entry(place, **home));
    if (done) {
      done = (*home)->set_aside();
    }
    if (!done) {
      return in_context(place.path, done.error());
    }
    place.shadow = std::move(*home);
    place.settled = false;
  }
  return {};
}

result<void> placement::put_back() {
  close_devices();
  result<void> outcome;
  for (spot& place : spots_) {
    result<void> back;
    if (!place.shadow) {
      back = store_.close(*place.placed);
    } else if (!place.settled) {
      back = place.shadow->close_aside();
    } else {
      // The device's number may have changed; the plan is made anew.
      const auto home = find_home(place.path);
      back = home ? (*home)->set_aside() : result<void>(home.error());
      if (back) {
        back = book_.write(shadow_entry(place, **home));
      }
    }
    if (!back) {
      log_warning(fmt::format("{}: {}", place.path, back.error().context));
      outcome = back;
    }
  }
  return outcome;
}

}  // namespace teleport
