// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/refresh.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "index/extent_source.hpp"
#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/bytes.hpp"

namespace teleport::index {

namespace {

/// One refresh: the groups that hold the extents, read in part and kept in
/// part.
class refresh_run {
 public:
  refresh_run(store& tables,
              block_device& device,
              const refresh_options& options,
              refresh_report& report)
      : tables_(tables), device_(device), options_(options), report_(report) {}

  result<void> run(std::span<const std::uint64_t> extents);

 private:
  result<void> one_group(std::span<const std::uint64_t> extents);
  /// nullptr when it cannot be read.
  std::unique_ptr<extent_content> read(std::uint64_t extent);
  void hold_back(std::size_t bytes);

  store& tables_;
  block_device& device_;
  const refresh_options& options_;
  refresh_report& report_;
  changes batch_;
  aligned_buffer buffer_{extent_bytes};
  /// Groups that do not exist are known to be zeros.
  bool sure_of_zeros_ = false;
};

void refresh_run::hold_back(std::size_t bytes) {
  if (options_.bytes_per_second != 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(
        static_cast<double>(bytes) /
        static_cast<double>(options_.bytes_per_second)));
  }
}

std::unique_ptr<extent_content> refresh_run::read(std::uint64_t extent) {
  const std::size_t length = extent_length(device_.size(), extent);
  const auto bytes = buffer_.span().first(length);
  if (!device_.read_at(extent * extent_bytes, bytes)) {
    ++report_.unreadable_extents;
    return nullptr;
  }
  report_.read_bytes += length;
  hold_back(length);
  auto content = std::make_unique<extent_content>();
  hash_extent(bytes, *content);
  return content;
}

result<void> refresh_run::one_group(std::span<const std::uint64_t> extents) {
  const std::uint64_t group = extents.front() / group_extents;
  const auto number =
      static_cast<std::uint32_t>(report_.disk.base / group_extents + group);
  const auto before = tables_.group(number);
  if (!before) {
    return before.error();
  }
  bool absent = false;
  if (!*before) {
    const auto there = tables_.groups_in(number, number + 1);
    if (!there) {
      return there.error();
    }
    absent = there->empty();
  }
  const auto old = *before ? group_view::parse(**before) : std::nullopt;
  const auto in_group = static_cast<unsigned>(std::min<std::uint64_t>(
      group_extents, report_.disk.extents() - group * group_extents));
  group_builder builder;
  auto next = extents.begin();
  for (unsigned e = 0; e < in_group; ++e) {
    if (next != extents.end() && *next % group_extents == e) {
      if (const auto content = read(*next)) {
        builder.add(e, *content);
      }
      ++next;
    } else if (old) {
      builder.keep(e, *old);
    } else if (absent && sure_of_zeros_) {
      builder.add_zero(e);
    }
  }
  std::optional<byte_buffer> now;
  if (builder.has_data() || !builder.all_known(in_group)) {
    now = builder.encode(number);
  }
  if (*before != now) {
    ++report_.changed_groups;
    batch_.replace_group(report_.disk, number, *before, std::move(now));
  }
  return {};
}

result<void> refresh_run::run(std::span<const std::uint64_t> extents) {
  disk_record& disk = report_.disk;
  const auto sum = tables_.group_sum(disk);
  if (!sum) {
    return sum.error();
  }
  sure_of_zeros_ = *sum == disk.group_sum;
  while (!extents.empty()) {
    if (options_.cancel != nullptr && *options_.cancel) {
      return error(errc::cancelled, "refresh of " + disk.path);
    }
    const std::uint64_t group = extents.front() / group_extents;
    const auto end = std::ranges::find_if(extents, [&](std::uint64_t extent) {
      return extent / group_extents != group;
    });
    const auto part =
        extents.first(static_cast<std::size_t>(end - extents.begin()));
    if (auto done = one_group(part); !done) {
      return done;
    }
    extents = extents.subspan(part.size());
  }
  if (auto applied = tables_.apply(batch_); !applied) {
    return applied;
  }
  if (sure_of_zeros_) {
    const auto now = tables_.group_sum(disk);
    if (!now) {
      return now.error();
    }
    disk.group_sum = *now;
  }
  ++disk.epoch;
  auto done = tables_.update_disk(disk);
  return done ? tables_.sync() : done;
}

}  // namespace

result<refresh_report> refresh_extents(store& tables,
                                       std::uint32_t disk,
                                       block_device& device,
                                       std::span<const std::uint64_t> extents,
                                       const refresh_options& options) {
  // No scan of the disk at the same time: it would overwrite our digests by
  // older ones, read before the guest's write.
  const auto lock = tables.lock_disk(disk);
  if (!lock) {
    return lock.error();
  }
  const auto disks = tables.disks();
  if (!disks) {
    return disks.error();
  }
  const disk_record* record = disks->by_id(disk);
  if (record == nullptr) {
    return error(errc::not_found, "the disk is not indexed any more");
  }
  if (!record->complete || record->size != device.size() ||
      record->tracker != options.tracker) {
    return error(errc::mismatch, record->path + " has to be scanned");
  }
  refresh_report report;
  report.disk = *record;
  refresh_run run(tables, device, options, report);
  if (auto done = run.run(extents); !done) {
    return done.error();
  }
  return report;
}

}  // namespace teleport::index
