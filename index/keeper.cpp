// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/keeper.hpp"

#include <utility>
#include <vector>

#include "libteleport/base/log.hpp"
#include "libteleport/disk/file_device.hpp"

namespace teleport::index {

result<disk_record> disk_keeper::record() {
  const auto disks = tables_.disks();
  if (!disks) {
    return disks.error();
  }
  const disk_record* found = disks->by_path(disk_.path);
  if (found == nullptr) {
    return error(errc::not_found, disk_.path + " is not indexed");
  }
  return *found;
}

void disk_keeper::lose_track(const error& why) {
  log_warning("index: " + disk_.path + " will be scanned: " + why.context);
  standing_tracker::remove(options_.trackers, disk_.device);
  tracker_.reset();
}

result<void> disk_keeper::follow() {
  if (tracker_) {
    return {};
  }
  auto adopted = standing_tracker::adopt(options_.trackers, disk_.device);
  if (adopted) {
    tracker_ = std::move(*adopted);
    return {};
  }
  if (adopted.error().code != errc::not_found) {
    lose_track(adopted.error());
  }
  auto made = standing_tracker::attach(
      options_.trackers, disk_.device, options_.rest_limit);
  if (!made) {
    return made.error();
  }
  tracker_ = std::move(*made);
  return {};
}

bool disk_keeper::stands(const disk_record& record) const {
  const index_stand& stand = tracker_->stand();
  return stand.disk == record.id && record.complete &&
         record.epoch >= stand.epoch && record.size == tracker_->disk_bytes();
}

bool disk_keeper::needs_scan() {
  const auto now = record();
  return tracker_ && now && !stands(*now);
}

result<disk_keeper::outcome> disk_keeper::turn() {
  if (auto followed = follow(); !followed) {
    return followed.error();
  }
  const auto now = record();
  if (!now) {
    return now.error();
  }
  if (!stands(*now)) {
    return outcome::scan;
  }
  const auto honest = tracker_->audit();
  if (!honest && honest.error().code != errc::busy) {
    lose_track(honest.error());
    return outcome::behind;
  }
  return read_quiet(*now);
}

result<disk_keeper::outcome> disk_keeper::read_quiet(
    const disk_record& record) {
  const auto busy = tracker_->collect();
  if (!busy && busy.error().code == errc::not_found) {
    tracker_.reset();  // the device is gone, and its marks with it
    return busy.error();
  }
  if (!busy) {
    lose_track(busy.error());
    return outcome::behind;
  }
  const dirty_map all = tracker_->behind();
  std::vector<std::uint64_t> quiet;
  bool more = false;
  for (auto at = all.next_extent(0); at; at = all.next_extent(*at + 1)) {
    if (busy->next_extent(*at) == *at) {
      continue;
    }
    more = quiet.size() == options_.max_extents;
    if (more) {
      break;
    }
    quiet.push_back(*at);
  }
  if (quiet.empty()) {
    return outcome::fresh;
  }
  // By the device, which is what the tracker follows.
  const auto device = open_device(disk_.device, open_mode::read_only);
  if (!device) {
    return device.error();
  }
  const auto done =
      refresh_extents(tables_, record.id, **device, quiet, options_.refresh);
  if (!done) {
    return done.error();
  }
  if (auto set = tracker_->set_stand({record.id, done->disk.epoch}); !set) {
    return set.error();
  }
  for (const std::uint64_t extent : quiet) {
    tracker_->served(extent);
  }
  return more ? outcome::behind : outcome::fresh;
}

result<void> disk_keeper::scanned() {
  if (!tracker_) {
    return error(errc::mismatch, disk_.path + " was not tracked meanwhile");
  }
  const auto now = record();
  if (!now) {
    return now.error();
  }
  if (!now->complete) {
    return error(errc::mismatch, disk_.path + " was not scanned to its end");
  }
  return tracker_->set_stand({now->id, now->epoch});
}

}  // namespace teleport::index
