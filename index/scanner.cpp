// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/scanner.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "index/extent_source.hpp"
#include "index/identity.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/disk/file_device.hpp"
#include "libteleport/disk/loop_device.hpp"
#include "libteleport/disk/standing_tracker.hpp"
#include "libteleport/disk/thin_volume.hpp"

namespace teleport::index {

namespace {

constexpr unsigned max_threads = 8;
/// Another process may add, remove or resize the disk while we look.
constexpr int claim_attempts = 5;

unsigned threads_for(unsigned asked) {
  const unsigned cpus = std::max(1U, std::thread::hardware_concurrency());
  return asked != 0 ? asked : std::min(cpus, max_threads);
}

/// One scan: extents in, changed groups out.
class scan_run {
  using clock = std::chrono::steady_clock;

 public:
  scan_run(store& tables, const scan_options& options, scan_report& report)
      : tables_(tables),
        options_(options),
        report_(report),
        disk_(report.disk) {}

  result<void> take(extent_source::item found);
  result<void> flush() { return tables_.apply(batch_); }
  /// Writes what was read: the process may end while the scan waits.
  result<void> pause();

 private:
  struct pending {
    std::array<std::unique_ptr<extent_content>, group_extents> contents;
    std::uint32_t zero = 0;  ///< bits of extents known to be a hole
    unsigned filled = 0;
  };
  /// Extents of the disk in its group `group`.
  [[nodiscard]] unsigned extents_in(std::uint64_t group) const;
  result<void> take_hole(std::uint64_t first, std::uint64_t end);
  result<void> finish(std::uint64_t group, pending& parts);
  result<void> replace(std::uint64_t group, std::optional<byte_buffer> now);
  void tell(std::uint64_t extents, std::uint64_t read);
  void go_on();

  store& tables_;
  const scan_options& options_;
  scan_report& report_;
  disk_record& disk_;
  changes batch_;
  std::map<std::uint64_t, pending> open_;
  scan_progress progress_;
  std::uint64_t told_ = 0;
  double told_at_ = 0;                      ///< seconds
  clock::time_point began_ = clock::now();  ///< later by each pause
  clock::time_point paused_at_;
};

unsigned scan_run::extents_in(std::uint64_t group) const {
  return static_cast<unsigned>(std::min<std::uint64_t>(
      group_extents, disk_.extents() - group * group_extents));
}

result<void> scan_run::take(extent_source::item found) {
  if (found.what == extent_source::kind::paused) {
    return pause();
  }
  go_on();
  if (found.what == extent_source::kind::hole) {
    tell(found.count, 0);
    return take_hole(found.first, found.first + found.count);
  }
  tell(1, extent_length(disk_.size, found.first));
  const std::uint64_t group = found.first / group_extents;
  pending& parts = open_[group];
  if (found.content) {
    disk_.data_blocks += found.content->count;
  } else {
    ++report_.unreadable_extents;
  }
  parts.contents[found.first % group_extents] = std::move(found.content);
  if (++parts.filled < extents_in(group)) {
    return {};
  }
  result<void> done = finish(group, parts);
  open_.erase(group);
  return done;
}

result<void> scan_run::take_hole(std::uint64_t first, std::uint64_t end) {
  report_.hole_bytes +=
      std::min(end * extent_bytes, disk_.size) - first * extent_bytes;
  while (first < end) {
    const std::uint64_t group = first / group_extents;
    const std::uint64_t group_end = group * group_extents + extents_in(group);
    if (first % group_extents == 0 && group_end <= end) {
      // Groups without data: only those that had some are changed.
      const std::uint64_t last = end == disk_.extents()
                                     ? count_of(end, group_extents)
                                     : end / group_extents;
      const std::uint32_t base = disk_.base / group_extents;
      const result<std::vector<std::uint32_t>> old =
          tables_.groups_in(base + static_cast<std::uint32_t>(group),
                            base + static_cast<std::uint32_t>(last));
      if (!old) {
        return old.error();
      }
      for (const std::uint32_t number : *old) {
        result<void> gone = replace(number - base, std::nullopt);
        if (!gone) {
          return gone;
        }
      }
      first = last * group_extents;
      continue;
    }
    pending& parts = open_[group];
    for (; first < std::min(end, group_end); ++first) {
      parts.zero |= 1U << (first % group_extents);
      ++parts.filled;
    }
    if (parts.filled == extents_in(group)) {
      result<void> done = finish(group, parts);
      open_.erase(group);
      if (!done) {
        return done;
      }
    }
  }
  return {};
}

result<void> scan_run::finish(std::uint64_t group, pending& parts) {
  group_builder builder;
  const unsigned extents = extents_in(group);
  for (unsigned e = 0; e < extents; ++e) {
    if (parts.contents[e]) {
      builder.add(e, *parts.contents[e]);
    } else if ((parts.zero >> e & 1U) != 0) {
      builder.add_zero(e);
    }
  }
  std::optional<byte_buffer> now;
  if (builder.has_data() || !builder.all_known(extents)) {
    now = builder.encode(
        static_cast<std::uint32_t>(disk_.base / group_extents + group));
  }
  return replace(group, std::move(now));
}

result<void> scan_run::replace(std::uint64_t group,
                               std::optional<byte_buffer> now) {
  const auto number =
      static_cast<std::uint32_t>(disk_.base / group_extents + group);
  const result<std::optional<byte_buffer>> before = tables_.group(number);
  if (!before) {
    return before.error();
  }
  if (*before == now && now) {
    return {};
  }
  report_.changed_groups += (before->has_value() || now) ? 1U : 0U;
  batch_.replace_group(disk_, number, *before, std::move(now));
  return batch_.bytes() < options_.batch_bytes ? result<void>() : flush();
}

result<void> scan_run::pause() {
  paused_at_ = clock::now();
  progress_.paused = true;
  progress_.disk_bytes = disk_.size;
  result<void> kept = flush();
  if (kept && options_.progress) {
    options_.progress(progress_);
  }
  return kept;
}

void scan_run::go_on() {
  if (progress_.paused) {
    progress_.paused = false;
    began_ += clock::now() - paused_at_;
  }
}

void scan_run::tell(std::uint64_t extents, std::uint64_t read) {
  progress_.disk_bytes = disk_.size;
  progress_.done_bytes =
      std::min(disk_.size, progress_.done_bytes + extents * extent_bytes);
  progress_.read_bytes += read;
  progress_.seconds =
      std::chrono::duration<double>(clock::now() - began_).count();
  report_.read_bytes = progress_.read_bytes;
  constexpr std::uint64_t step = group_extents * extent_bytes;
  if (options_.progress && (progress_.done_bytes >= told_ + step ||
                            progress_.done_bytes == disk_.size ||
                            progress_.seconds >= told_at_ + 1)) {
    told_ = progress_.done_bytes;
    told_at_ = progress_.seconds;
    options_.progress(progress_);
  }
}

result<disk_record> new_disk(store& tables,
                             const std::string& path,
                             const disk_identity& identity,
                             std::uint64_t size,
                             added_by who) {
  const result<disk_table> all = tables.disks();
  if (!all) {
    return all.error();
  }
  for (const disk_record& other : all->all()) {
    const result<disk_identity> now = identify(other.path);
    if (other.path != path && now && now->name == identity.name) {
      return error(errc::busy, path + " is indexed already, as " + other.path);
    }
  }
  disk_record record;
  record.path = path;
  record.size = size;
  record.identity = identity.name;
  record.by_itself = who == added_by::itself;
  return tables.add_disk(std::move(record));
}

struct opened_disk {
  disk_identity who;
  std::unique_ptr<block_device> device;
};

/// That the ticket's tracker follows the disk at `path` now.
result<void> check_ticket(const std::string& path, const scan_ticket& ticket) {
  const auto tracker = standing_tracker::adopt(ticket.trackers, ticket.device);
  if (!tracker) {
    return tracker.error();
  }
  if ((*tracker)->life() != ticket.life) {
    return error(errc::mismatch, path + " is followed by another tracker now");
  }
  const auto named = identify(path);
  const auto followed = identify(ticket.device);
  if (!named || !followed) {
    return named ? followed.error() : named.error();
  }
  if (named->name == followed->name) {
    return {};
  }
  const auto below = file_of_loop(ticket.device);
  const auto lies_on =
      below && *below ? identify(**below) : result<disk_identity>(*followed);
  return lies_on && lies_on->name == named->name
             ? result<void>()
             : error(errc::mismatch,
                     path + " is not what " + ticket.device + " shows now");
}

result<opened_disk> open_disk(const std::string& path,
                              const scan_ticket& ticket) {
  if (!path.starts_with('/') || path.find('\n') != std::string::npos) {
    return error(errc::bad_input,
                 path + " is not an absolute path on one line");
  }
  opened_disk disk;
  result<disk_identity> who = identify(path);
  if (!who) {
    return who.error();
  }
  disk.who = std::move(*who);
  if (ticket.is_set()) {
    if (auto followed = check_ticket(path, ticket); !followed) {
      return followed.error();
    }
  }
  // Through the device whose writes are followed: a path may come to mean
  // another file while it is read.
  result<std::unique_ptr<block_device>> device =
      open_device(ticket.is_set() ? ticket.device : path, open_mode::read_only);
  if (!device) {
    return device.error();
  }
  disk.device = std::move(*device);
  return disk;
}

/// The disk's record, locked; a new one when the disk has another size now.
result<disk_lock> claim_disk(store& tables,
                             const std::string& path,
                             const opened_disk& disk,
                             added_by who,
                             disk_record& record) {
  for (int attempt = 0; attempt < claim_attempts; ++attempt) {
    const result<disk_table> all = tables.disks();
    if (!all) {
      return all.error();
    }
    const disk_record* known = all->by_path(path);
    if (known == nullptr) {
      result<disk_record> made =
          new_disk(tables, path, disk.who, disk.device->size(), who);
      if (!made) {
        return made.error();
      }
      continue;
    }
    record = *known;
    result<disk_lock> lock = tables.lock_disk(record.id);
    if (!lock) {
      return in_context(path, lock.error());
    }
    const result<disk_table> again = tables.disks();
    if (!again) {
      return again.error();
    }
    if (again->by_id(record.id) == nullptr) {
      continue;  // removed before we had the lock
    }
    who =
        again->by_id(record.id)->by_itself ? added_by::itself : added_by::hand;
    if (record.size == disk.device->size()) {
      return lock;
    }
    result<void> gone =
        tables.remove_disk(record.id, removal::to_be_added_again);
    if (!gone) {
      return gone.error();
    }
  }
  return error(errc::busy, path + ": another process changes its entry");
}

result<void> run_scan(store& tables,
                      const scan_options& options,
                      block_device& device,
                      scan_report& report) {
  source_options how;
  how.threads = threads_for(options.threads);
  how.bytes_per_second = options.bytes_per_second;
  how.idle_priority = options.idle_priority;
  how.cancel = options.cancel;
  // Asked before the first read and after the tracker was attached: a chunk
  // that is provisioned later is provisioned by a write, which the tracker
  // marks.
  const auto parts = provisioned_parts(
      options.ticket.is_set() ? options.ticket.device : report.disk.path,
      report.disk.size,
      options.cancel);
  if (!parts) {
    log_warning("index: all of " + report.disk.path +
                " is read: " + parts.error().context);
  } else if (*parts) {
    how.data = &**parts;
  }
  scan_gate gate(tables.pauses(), report.disk.path);
  how.gate = &gate;
  scan_run run(tables, options, report);
  extent_source source(device, report.disk.path, how);
  result<void> done;
  while (done) {
    std::optional<extent_source::item> found = source.next();
    if (!found) {
      break;
    }
    done = run.take(std::move(*found));
  }
  const bool cancelled = options.cancel != nullptr && *options.cancel;
  if (done) {
    done = run.flush();  // cancelled or not: it serves the next scan
  }
  if (done && cancelled) {
    return error(errc::cancelled,
                 report.disk.path + ": the scan was cancelled");
  }
  if (report.unreadable_extents != 0) {
    const std::string why = source.first_failure();
    log_warning("index: " + std::to_string(report.unreadable_extents) +
                " MiB of " + report.disk.path + " cannot be read: " + why);
    if (done && report.unreadable_extents == report.disk.extents()) {
      return error(errc::system, why);
    }
  }
  return done;
}

}  // namespace

result<disk_record> add_disk(store& tables,
                             const std::string& path,
                             added_by who) {
  const result<opened_disk> disk = open_disk(path, scan_ticket());
  if (!disk) {
    return disk.error();
  }
  const result<disk_table> all = tables.disks();
  if (!all) {
    return all.error();
  }
  const disk_record* known = all->by_path(path);
  if (known == nullptr) {
    return new_disk(tables, path, disk->who, disk->device->size(), who);
  }
  return known->by_itself && who == added_by::hand
             ? tables.set_listed(known->id)
             : result<disk_record>(*known);
}

result<scan_report> scan_disk(store& tables,
                              const std::string& path,
                              const scan_options& options) {
  const auto began = std::chrono::steady_clock::now();
  const auto today = std::chrono::system_clock::now().time_since_epoch();
  const result<opened_disk> disk = open_disk(path, options.ticket);
  if (!disk) {
    return disk.error();
  }
  scan_report report;
  const result<disk_lock> lock =
      claim_disk(tables, path, *disk, options.who, report.disk);
  if (!lock) {
    return lock.error();
  }
  disk_record& record = report.disk;
  record.data_blocks = 0;
  // Until the end no tracker covers it: what is written below may be of another
  // moment, or of another disk, than what the last one saw.
  result<void> done;
  if (std::exchange(record.tracker, unique_id()).is_set()) {
    done = tables.update_disk(record);
  }
  if (done) {
    done = run_scan(tables, options, *disk->device, report);
  }
  if (!done) {
    return done.error();
  }
  const auto followed = options.ticket.is_set()
                            ? check_ticket(path, options.ticket)
                            : result<void>();
  if (options.ticket.is_set() && followed) {
    record.tracker = options.ticket.life;
  }
  record.zero_blocks = count_of(record.size, block_bytes) - record.data_blocks;
  record.complete = true;
  ++record.epoch;
  record.identity = disk->who.name;
  record.changed_at = disk->who.changed_at;
  record.scanned_at = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(today).count());
  const auto groups = tables.group_sum(record);
  if (!groups) {
    return groups.error();
  }
  record.group_sum = *groups;
  done = tables.update_disk(record);
  if (done) {
    done = tables.sync();
  }
  if (done && !followed) {
    done = in_context("scanned " + path + " in vain", followed.error());
  }
  if (!done) {
    return done.error();
  }
  report.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - began)
          .count();
  return report;
}

}  // namespace teleport::index
