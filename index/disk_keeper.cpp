// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/disk_keeper.hpp"

#include <utility>
#include <vector>

#include "index/coverage.hpp"
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

result<void> disk_keeper::check_purpose(const unique_id& index) const {
  const tracker_purpose& now = tracker_->purpose();
  if (now.index != index) {
    return error(errc::mismatch, "it was followed for another index");
  }
  if (now.guest != disk_.guest) {
    return error(errc::mismatch, "it has another guest than before");
  }
  return {};
}

result<void> disk_keeper::follow() {
  const auto index = tables_.instance();
  if (!index) {
    return index.error();
  }
  if (!tracker_) {
    auto adopted = standing_tracker::adopt(options_.trackers, disk_.device);
    if (adopted) {
      tracker_ = std::move(*adopted);
    } else if (adopted.error().code != errc::not_found) {
      lose_track(adopted.error());
    }
  }
  if (tracker_) {
    const auto same = check_purpose(*index);
    if (same) {
      return {};
    }
    lose_track(same.error());
  }
  auto made = standing_tracker::attach(options_.trackers,
                                       disk_.device,
                                       {*index, disk_.guest},
                                       options_.rest_limit);
  if (!made) {
    return made.error();
  }
  tracker_ = std::move(*made);
  return {};
}

bool disk_keeper::needs_scan() {
  const auto now = record();
  const auto index = tables_.instance();
  return tracker_ && now && index && !covers(*tracker_, *index, *now);
}

scan_ticket disk_keeper::ticket() const {
  return tracker_
             ? scan_ticket{options_.trackers, disk_.device, tracker_->life()}
             : scan_ticket();
}

result<disk_keeper::outcome> disk_keeper::turn() {
  if (auto followed = follow(); !followed) {
    return followed.error();
  }
  const auto now = record();
  if (!now) {
    return now.error();
  }
  if (needs_scan()) {
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
  // Named by the device, which the tracker follows.
  const auto device = open_device(disk_.device, open_mode::read_only);
  if (!device) {
    return device.error();
  }
  refresh_options how = options_.refresh;
  how.tracker = tracker_->life();
  const auto done = refresh_extents(tables_, record.id, **device, quiet, how);
  if (!done) {
    return done.error();
  }
  if (auto set = tracker_->set_served_epoch(done->disk.epoch); !set) {
    return set.error();
  }
  for (const std::uint64_t extent : quiet) {
    tracker_->served(extent);
  }
  return more ? outcome::behind : outcome::fresh;
}

}  // namespace teleport::index
