// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/own_disk.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "libteleport/base/log.hpp"

namespace teleport::index {

namespace {

/// As long as the teleport's own tracker is waited for.
constexpr std::chrono::seconds rest_limit(30);
constexpr std::chrono::milliseconds rest_poll(1);

}  // namespace

std::unique_ptr<own_disk> own_disk::open(std::shared_ptr<store> tables,
                                         const std::string& trackers,
                                         const std::string& device) {
  auto tracker = standing_tracker::adopt(trackers, device);
  if (!tracker) {
    log_debug(device + " is read whole: " + tracker.error().context);
    return nullptr;
  }
  std::unique_ptr<own_disk> made(
      new own_disk(std::move(tables), std::move(*tracker)));
  const auto txn = made->tables_->begin_read();
  const auto stands = txn ? made->stands(*txn) : result<bool>(txn.error());
  if (!stands || !*stands) {
    log_debug(device + " is read whole: " +
              (stands ? "it was not scanned since its tracker began"
                      : stands.error().context));
    return nullptr;
  }
  return made;
}

result<bool> own_disk::stands(const read_txn& txn) {
  const auto generation = tables_->generation(txn);
  if (!generation) {
    return generation.error();
  }
  if (generation_ == *generation) {
    return record_.id != 0;
  }
  const auto disks = tables_->disks(txn);
  if (!disks) {
    return disks.error();
  }
  generation_ = *generation;
  number_.reset();
  const index_stand& stand = tracker_->stand();
  const disk_record* now = disks->by_id(stand.disk);
  if (stand.disk == 0 || now == nullptr || !now->complete ||
      now->epoch < stand.epoch || now->size != tracker_->disk_bytes() ||
      (record_.id != 0 && now->base != record_.base)) {
    record_ = disk_record();
    return false;
  }
  record_ = *now;
  const auto sum = tables_->group_sum(txn, record_);
  if (!sum) {
    return sum.error();
  }
  sure_of_zeros_ = *sum == record_.group_sum;
  return true;
}

bool own_disk::load(std::uint32_t number) {
  const auto txn = tables_->begin_read();
  const auto sure = txn ? stands(*txn) : result<bool>(txn.error());
  if (!sure || !*sure) {
    return false;
  }
  if (number_ == number) {
    return true;
  }
  const auto value = txn->get(tables_->groups(), big_endian_key(number));
  if (!value) {
    return false;
  }
  if (!*value && !sure_of_zeros_) {
    return false;
  }
  if (!*value) {
    number_ = number;
    value_.reset();
    return true;
  }
  const auto view = group_view::parse(**value);
  if (!view || !view->intact()) {
    return false;
  }
  number_ = number;
  value_.emplace((*value)->begin(), (*value)->end());
  return true;
}

std::optional<known_extent> own_disk::find(std::uint64_t extent) {
  // First: what is not dirty now was in the index before now.
  if (tracker_->is_dirty(extent)) {
    return std::nullopt;
  }
  const std::lock_guard lock(mutex_);
  const auto in_group = static_cast<unsigned>(extent % group_extents);
  if (!load(static_cast<std::uint32_t>(record_.base / group_extents +
                                       extent / group_extents))) {
    return std::nullopt;
  }
  known_extent known;
  if (!value_) {
    known.zero = true;
    return known;
  }
  const auto group = group_view::parse(*value_);
  if (!group->known(in_group)) {
    return std::nullopt;
  }
  if (!group->has_data(in_group)) {
    known.zero = true;
    return known;
  }
  const auto content = group->extent(in_group);
  if (!content) {
    return std::nullopt;
  }
  std::ranges::copy(content->sha, known.digest.begin());
  const std::size_t blocks =
      count_of(extent_length(record_.size, extent), block_bytes);
  std::uint32_t digest = content->first;
  for (unsigned b = 0; b < blocks; ++b) {
    if (content->has(b)) {
      known.blocks.push_back(group->digest(digest++));
    } else {
      known.zero_blocks.set(b);
    }
  }
  if (known.blocks.size() != content->count) {
    return std::nullopt;  // blocks behind the disk's end
  }
  return known;
}

result<void> own_disk::audit() {
  const auto deadline = std::chrono::steady_clock::now() + rest_limit;
  for (;;) {
    const auto idle = tracker_->idle();
    if (!idle) {
      return idle.error();
    }
    if (*idle) {
      break;
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return error(errc::timeout, "writes stay in flight after suspension");
    }
    std::this_thread::sleep_for(rest_poll);
  }
  if (auto honest = tracker_->audit(); !honest) {
    return in_context("the tracker of the index missed a write",
                      honest.error());
  }
  return {};
}

}  // namespace teleport::index
