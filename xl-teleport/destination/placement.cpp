// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/placement.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/disk/file_device.hpp"
#include "libteleport/disk/resize.hpp"

namespace teleport {

namespace {

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

/// Where a kept disk lies.
const std::string& place_of(const kept_disk& kept) {
  return kept.shadow ? kept.shadow->aside : kept.partial;
}

/// The entry for a disk, when what it names is still there and can serve.
result<std::optional<kept_disk>> usable_entry(const disk_book& book,
                                              const guest_info& guest,
                                              const guest_disk& disk) {
  kept_disk wanted;
  wanted.guest = guest.name;
  wanted.uuid = guest.uuid;
  wanted.vdev = disk.vdev;
  wanted.size = disk.size;
  auto kept = book.find_for(wanted);
  if (!kept || !*kept) {
    return kept;
  }
  const std::string& place = place_of(**kept);
  // A partition or a whole disk has the size that it has.
  const bool fits = (*kept)->size == disk.size || !(*kept)->shadow ||
                    (*kept)->shadow->kind != shadow_kind::other_device;
  if (!fits || !(exists(place) ||
                 ((*kept)->shadow && exists((*kept)->shadow->backing)))) {
    log_info(
        fmt::format("{} of {}: what was kept at {} is gone or of another "
                    "size; a new target is made",
                    disk.vdev,
                    guest.name,
                    place));
    return std::optional<kept_disk>();
  }
  return kept;
}

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

result<foreseen> foresee(const guest_info& guest, const disk_book& book) {
  foreseen out;
  for (const guest_disk& disk : moved_disks(guest)) {
    const auto kept = usable_entry(book, guest, disk);
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
  auto kept = usable_entry(book_, guest_, disk);
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
result<void> placement::fit(const kept_disk& kept, const spot& place) {
  const auto fitted = resize_disk(place_of(kept), place.disk.size);
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
  const auto taken = take_over(kept, place);
  if (!taken) {
    return taken;
  }
  if (kept.shadow) {
    if (!exists(kept.shadow->aside)) {
      // An attempt that was killed after settle() has left it under its old
      // name.
      const auto aside = set_aside(*kept.shadow);
      if (!aside) {
        return aside;
      }
    }
    if (kept.shadow->kind != shadow_kind::other_device) {
      const auto fitted = fit(kept, place);
      if (!fitted) {
        return fitted;
      }
    }
    auto path = open_aside(*kept.shadow);
    if (!path) {
      return path.error();
    }
    place.kind = "shadow";
    place.shadow = kept.shadow;
    place.path = *path;
    return {};
  }
  const auto fitted = fit(kept, place);
  if (!fitted) {
    return fitted;
  }
  auto placed = store_.open(kept.partial);
  if (!placed) {
    return placed.error();
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
         place.shadow ? place.shadow->backing : place.placed->backing});
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
    const auto closed = close_aside(*place.shadow);
    if (!closed) {
      return closed;
    }
    auto path = bring_back(*place.shadow);
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

result<void> placement::keep() {
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
                                  const shadow_place& aside) const {
  kept_disk entry;
  entry.guest = guest_.name;
  entry.uuid = place.uuid;
  entry.vdev = place.disk.vdev;
  entry.size = place.disk.size;
  entry.shadow = aside;
  return entry;
}

result<void> placement::keep_as_shadows() {
  close_devices();
  for (spot& place : spots_) {
    if (place.shadow) {
      const auto closed = close_aside(*place.shadow);
      if (!closed) {
        return closed;
      }
      continue;
    }
    // Written down first: whoever adopts it finishes what was cut short here.
    const auto planned = plan_shadow(place.path);
    if (!planned) {
      return planned.error();
    }
    auto done = book_.write(shadow_entry(place, *planned));
    if (done) {
      done = set_aside(*planned);
    }
    if (!done) {
      return in_context(place.path, done.error());
    }
    place.shadow = *planned;
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
      back = close_aside(*place.shadow);
    } else {
      // The device's number may have changed; the plan is made anew.
      auto aside = set_aside(place.path);
      if (aside) {
        back = book_.write(shadow_entry(place, *aside));
      } else {
        back = aside.error();
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
