// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/disk_mover.hpp"

#include <utility>

#include <fmt/format.h>

#include "libteleport/disk/file_device.hpp"
#include "xl-teleport/source/marks.hpp"

namespace teleport {

namespace {

/// Jobs on the pool at once; the pool has half as many threads, so that each
/// finds its next job waiting.
constexpr std::size_t max_jobs = 8;

}  // namespace

disk_mover::events events_on(connection& link) {
  disk_mover::events events;
  events.send = [&link](record_type type, byte_span body) {
    if (type == record_type::extent_data) {
      link.send(type, body);
    } else {
      link.send_ahead(type, body);
    }
  };
  events.queued = [&link] { return link.queued_before(); };
  return events;
}

disk_mover::disk_mover(event_loop& loop, events callbacks)
    : loop_(loop), events_(std::move(callbacks)) {}

result<void> disk_mover::attach(const std::vector<guest_disk>& disks,
                                const pause_call& set_paused,
                                const known_content_factory& know) {
  std::vector<std::uint64_t> sizes;
  for (const guest_disk& disk : disks) {
    moved_disk moved;
    if (!disk.read_only) {
      auto tracker = dirty_tracker::attach(disk.device);
      if (!tracker) {
        return in_context("tracking of " + disk.vdev, tracker.error());
      }
      moved.tracker = std::move(*tracker);
      const auto started = start_at_rest(*moved.tracker, set_paused);
      if (!started) {
        return in_context("tracking of " + disk.vdev, started.error());
      }
    }
    auto device = open_device(disk.device, open_mode::read_only);
    if (!device) {
      return device.error();
    }
    if ((*device)->size() != disk.size) {
      return error(errc::mismatch,
                   fmt::format("{} has {} bytes now and had {} a moment ago",
                               disk.device,
                               (*device)->size(),
                               disk.size));
    }
    moved.device = std::move(*device);
    if (moved.tracker && know) {
      moved.known = know(disk);
    }
    sizes.push_back(disk.size);
    disks_.push_back(std::move(moved));
  }
  sender_ = std::make_unique<disk_sender>(std::move(sizes));
  return {};
}

void disk_mover::start_bulk() {
  sender_->start_bulk();
  begin_pass();
}

void disk_mover::targets_ready() {
  targets_ready_ = true;
  for (const raw_record& record : std::exchange(early_, {})) {
    events_.send(record.type, record.body);
  }
  pump();
}

void disk_mover::start_round() {
  std::vector<dirty_map> maps;
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    maps.push_back(std::exchange(disks_[i].dirty, dirty_map()));
  }
  sender_->start_round(std::move(maps));
  begin_pass();
}

void disk_mover::begin_pass() {
  pass_ = pass::sending;
  pump();
}

/// Adds what was written since the last take to each disk's map.
result<void> disk_mover::take_all(bool last) {
  for (moved_disk& disk : disks_) {
    if (!disk.tracker) {
      disk.dirty = dirty_map(disk.device->size(), block_bytes);
      continue;
    }
    const auto taken =
        last ? teleport::take_last_marks(
                   *disk.tracker, disk.known.get(), disk.dirty)
             : take_marks(*disk.tracker, disk.known.get(), disk.dirty);
    if (!taken) {
      return taken;
    }
  }
  return {};
}

/// Takes the marks on the pool; then `go_on`, unless stopped or failed.
void disk_mover::take_then(bool last, std::function<void()> go_on) {
  ++jobs_;
  loop_.work([this, last] { return take_all(last); },
             [this, go_on = std::move(go_on)](const result<void>& taken) {
               job_over();
               if (stopped_) {
                 return;
               }
               if (!taken) {
                 events_.on_failed(taken.error());
                 return;
               }
               go_on();
             });
}

void disk_mover::weigh() {
  take_then(false, [this] {
    std::uint64_t bytes = 0;
    for (const moved_disk& disk : disks_) {
      bytes += disk.dirty.bytes();
    }
    events_.on_weighed(bytes);
  });
}

void disk_mover::take_last_marks() {
  take_then(true, [this] { events_.on_last_marks(); });
}

result<void> disk_mover::on_record(const raw_record& record) {
  if (!targets_ready_) {
    return error(errc::protocol,
                 "an answer about disks that are not announced");
  }
  const auto taken = sender_->on_record(record);
  if (taken) {
    pump();
  }
  return taken;
}

void disk_mover::pump() {
  while (!stopped_ && pass_ != pass::none && jobs_ < max_jobs) {
    auto action =
        sender_->next(events_.queued(), std::chrono::steady_clock::now());
    if (!action) {
      break;
    }
    if (auto* record = std::get_if<raw_record>(&*action)) {
      if (targets_ready_) {
        events_.send(record->type, record->body);
      } else {
        early_.push_back(std::move(*record));
      }
      continue;
    }
    std::vector<source_disk> devices;
    for (const moved_disk& disk : disks_) {
      devices.push_back(
          {disk.device.get(), disk.tracker.get(), disk.known.get()});
    }
    ++jobs_;
    loop_.work(
        [this, job = std::get<sender_job>(std::move(*action)), devices] {
          return do_sender_job(job, devices, packer_);
        },
        [this](result<sender_job_done> done) {
          job_over();
          if (stopped_) {
            return;
          }
          if (!done) {
            events_.on_failed(in_context("reading the disk", done.error()));
            return;
          }
          sender_->on_job_done(std::move(*done));
          pump();
        });
  }
  if (stopped_ || !targets_ready_) {
    return;
  }
  if (pass_ == pass::sending && sender_->all_sent()) {
    pass_ = pass::sent;
    if (events_.on_blocks_sent) {
      events_.on_blocks_sent();
    }
  }
  if (pass_ == pass::sent && sender_->idle()) {
    pass_ = pass::none;
    events_.on_pass_done();
  }
}

void disk_mover::job_over() {
  --jobs_;
  if (stopped_ && jobs_ == 0 && events_.on_rest) {
    events_.on_rest();
  }
}

}  // namespace teleport
