// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/placement.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/units.hpp"
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

/// What a disk of this size does not hold yet.
result<void> add_need(const disk_home& home,
                      std::uint64_t size,
                      std::vector<foreseen::need>& needs) {
  auto space = home.space();
  const auto held = home.held_bytes();
  if (!space || !held) {
    return space ? held.error() : space.error();
  }
  if (!*space) {
    return {};
  }
  auto known = std::ranges::find_if(needs, [&](const foreseen::need& one) {
    return one.space.pool == (*space)->pool;
  });
  if (known == needs.end()) {
    known = needs.insert(known, {std::move(**space), 0});
  }
  known->bytes += size - std::min(size, *held);
  return {};
}

problem too_small(const foreseen::need& one) {
  return {"store_space",
          fmt::format("the disks need {} MiB of {}, {} MiB are free",
                      one.bytes / 1_MiB,
                      one.space.pool,
                      one.space.free / 1_MiB)};
}

}  // namespace

result<foreseen> foresee(const guest_info& guest,
                         const disk_book& book,
                         disk_store& store,
                         const kept_review& review,
                         const known_peer& peer) {
  foreseen out;
  auto space = store.space();
  if (!space) {
    return space.error();
  }
  out.needs.push_back({std::move(*space), 0});
  for (const guest_disk& disk : moved_disks(guest)) {
    const auto may = check_may_fill(book, {guest, disk, peer});
    if (!may && may.error().code == errc::refused) {
      out.problems.push_back({"others_disk", may.error().context});
      continue;
    }
    const auto kept = usable_entry(book, store, review, {guest, disk, peer});
    if (!kept) {
      return kept.error();
    }
    offered_target target;
    target.vdev = disk.vdev;
    result<void> fits;
    if (!*kept) {
      target.kind = "new";
      fits = store.check_size(disk.size);
      out.needs.front().bytes += disk.size;
    } else {
      target.kind = (*kept)->shadow ? "shadow" : "partial";
      const auto home = home_of(**kept, store);
      const auto added = home ? add_need(**home, disk.size, out.needs)
                              : result<void>(home.error());
      if (!added) {
        return in_context(place_of(**kept), added.error());
      }
      fits = check_not_cut(**kept, disk);
      if (fits && (*kept)->size != disk.size) {
        fits = (*home)->check_new_size(disk.size);
      }
    }
    if (!fits) {
      out.problems.push_back(
          {"disk_size", disk.vdev + ": " + fits.error().context});
    }
    out.disks.push_back(std::move(target));
  }
  for (const foreseen::need& one : std::span(out.needs).subspan(1)) {
    if (one.bytes > one.space.free) {
      out.problems.push_back(too_small(one));
    }
  }
  return out;
}

result<std::unique_ptr<placement>> placement::make(const guest_info& guest,
                                                   placement_host here,
                                                   const kept_review& review) {
  std::unique_ptr<placement> made(new placement(guest, std::move(here)));
  for (const guest_disk& disk : moved_disks(guest)) {
    const auto added = made->add(disk, review);
    if (!added) {
      // What was made so far stays, recorded, for the next attempt.
      (void)made->put_back();
      return in_context("target for " + disk.vdev, added.error());
    }
  }
  return made;
}

/// The entry for a disk, once no other session can have the disk.
result<std::optional<kept_disk>> placement::claim_kept(
    const guest_disk& disk, const kept_review& review) {
  const auto look = [&] {
    return usable_entry(
        here_.book, here_.store, review, {guest_, disk, here_.peer});
  };
  const auto seen = look();
  if (!seen || !*seen) {
    return seen;
  }
  const auto home = home_of(**seen, here_.store);
  auto done =
      home ? here_.claims.claim(**seen, **home) : result<void>(home.error());
  if (done) {
    done = check_not_cut(**seen, disk);
  }
  if (!done) {
    return done.error();
  }
  // Whoever had it until now may have renamed or handed it over.
  auto again = look();
  if (again && (!*again || place_of(**again) != place_of(**seen))) {
    return error(errc::busy, place_of(**seen) + " was another session's");
  }
  return again;
}

result<void> placement::add(const guest_disk& disk, const kept_review& review) {
  auto kept = claim_kept(disk, review);
  if (!kept) {
    return kept.error();
  }
  spot place;
  place.disk = disk;
  if (*kept) {
    place.entry = std::move(**kept);
  }
  const auto opened = *kept ? adopt(place) : create(disk, place);
  if (!opened) {
    return opened;
  }
  if (auto unused = review.check_unused(place.path); !unused) {
    return unused;
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
result<void> placement::take_over(spot& place) {
  const std::string before = place.entry.uuid;
  if (before == guest_.uuid || guest_.uuid == uuid_of_name(guest_.name)) {
    return {};
  }
  place.entry.uuid = guest_.uuid;
  const auto written = here_.book.write(place.entry);
  return written ? here_.book.remove(before, place.entry.vdev) : written;
}

/// The guest's disk may have another size than when it was here.
result<void> placement::fit(disk_home& home, spot& place) {
  const auto fitted = home.resize(place.disk.size);
  if (!fitted) {
    error cause = in_context(
        fmt::format("what is kept here for {} has another size", guest_.name),
        fitted.error());
    cause.context += fmt::format(
        "; 'teleportctl shadow remove {}' on this host deletes it, and the "
        "next attempt makes a new one",
        guest_.name);
    return cause;
  }
  if (place.entry.size == place.disk.size) {
    return {};
  }
  log_info(fmt::format("{} of {}: {} has {} bytes now, {} before",
                       place.disk.vdev,
                       guest_.name,
                       place_of(place.entry),
                       place.disk.size,
                       place.entry.size));
  place.entry.size = place.disk.size;
  return here_.book.write(place.entry);
}

result<void> placement::adopt(spot& place) {
  auto home = home_of(place.entry, here_.store);
  if (!home) {
    return home.error();
  }
  if (auto taken = take_over(place); !taken) {
    return taken;
  }
  const auto there = (*home)->found();
  if (!there) {
    return there.error();
  }
  if (place.entry.shadow && !there->aside) {
    // A seed that was killed has left it under the name of its target.
    if (auto aside = (*home)->set_aside(); !aside) {
      return aside;
    }
  }
  if ((*home)->can_resize()) {
    if (auto fitted = fit(**home, place); !fitted) {
      return fitted;
    }
  }
  if (place.entry.shadow) {
    auto path = (*home)->open_aside();
    if (!path) {
      return path.error();
    }
    place.kind = "shadow";
    place.path = std::move(*path);
    place.shadow = std::move(*home);
  } else {
    auto placed = here_.store.open(place.entry.partial);
    if (!placed) {
      return placed.error();
    }
    place.kind = "partial";
    place.path = placed->device;
    place.placed = std::move(*placed);
  }
  return check_identity(place.entry, identify_disk(place.path));
}

result<void> placement::create(const guest_disk& disk, spot& place) {
  const std::string name = harmless(guest_.name) + "-" + harmless(disk.vdev);
  auto placed = here_.store.create(name, disk.size);
  if (!placed && placed.error().code == errc::busy) {
    // Another guest's disk has that name: this one's uuid tells them apart.
    placed =
        here_.store.create(name + "-" + guest_.uuid.substr(0, 8), disk.size);
  }
  if (!placed) {
    return placed.error();
  }
  kept_disk& entry = place.entry;
  entry.guest = guest_.name;
  entry.uuid = guest_.uuid;
  entry.vdev = disk.vdev;
  entry.size = disk.size;
  entry.partial = placed->backing;
  entry.peer = here_.peer.key;
  const auto home = here_.store.home(placed->backing);
  result<void> done = home ? result<void>() : result<void>(home.error());
  if (done) {
    entry.identity = identity_of(**home);
    done = here_.claims.claim(entry, **home);
  }
  if (done) {
    done = here_.book.write(entry);
  }
  if (!done) {
    (void)here_.store.remove(*placed);  // ours, empty, and nobody would find it
    return done;
  }
  place.kind = "new";
  place.path = placed->device;
  place.blank = placed->reads_zero;
  place.placed = std::move(*placed);
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

std::vector<kept_disk> placement::kept() const {
  std::vector<kept_disk> entries;
  for (const spot& place : spots_) {
    entries.push_back(place.entry);
  }
  return entries;
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

void placement::share() {
  for (spot& place : spots_) {
    place.blank = false;
  }
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

void placement::release_to_guest() {
  close_devices();
}

result<void> placement::keep_as_shadows() {
  close_devices();
  for (spot& place : spots_) {
    if (place.shadow) {
      place.entry.peer = here_.peer.key;
      const auto noted = here_.book.write(place.entry);
      const auto closed = noted ? place.shadow->close_aside() : noted;
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
    place.entry.shadow = (*home)->place();
    place.entry.partial.clear();
    place.entry.peer = here_.peer.key;
    place.entry.identity = identity_of(**home);
    auto done = here_.book.write(place.entry);
    if (done) {
      done = (*home)->set_aside();
    }
    if (!done) {
      return in_context(place.path, done.error());
    }
    place.shadow = std::move(*home);
  }
  return {};
}

result<void> placement::put_back() {
  close_devices();
  result<void> outcome;
  for (spot& place : spots_) {
    const auto back = place.shadow ? place.shadow->close_aside()
                                   : here_.store.close(*place.placed);
    if (!back) {
      log_warning(fmt::format("{}: {}", place.path, back.error().context));
      outcome = back;
    }
  }
  return outcome;
}

}  // namespace teleport
