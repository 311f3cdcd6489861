// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/own_disk.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "index/coverage.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/disk/write_rest.hpp"

namespace teleport::index {

namespace {

/// Longer than an I/O scheduler holds a write back: BFQ idles for 8 ms.
constexpr std::chrono::milliseconds second_look(20);

}  // namespace

std::unique_ptr<own_disk> own_disk::open(std::shared_ptr<store> tables,
                                         const std::string& trackers,
                                         const std::string& device,
                                         std::uint32_t guest) {
  auto tracker = standing_tracker::adopt(trackers, device);
  if (!tracker) {
    log_debug(device + " is read whole: " + tracker.error().context);
    return nullptr;
  }
  if (guest == 0 || (*tracker)->purpose().guest != guest) {
    log_debug(device +
              " is read whole: its tracker was not attached for the guest that "
              "has it");
    return nullptr;
  }
  std::unique_ptr<own_disk> made(
      new own_disk(std::move(tables), std::move(*tracker)));
  const auto txn = made->tables_->begin_read();
  const auto covered =
      txn ? made->read_record(*txn) : result<bool>(txn.error());
  if (!covered || !*covered) {
    log_debug(device + " is read whole: " +
              (covered ? "it was not scanned since its tracker began"
                       : covered.error().context));
    return nullptr;
  }
  made->told_.resize(made->record_.extents());
  return made;
}

result<bool> own_disk::read_record(const read_txn& txn) {
  const auto generation = tables_->generation(txn);
  if (!generation) {
    return generation.error();
  }
  if (generation_ == *generation) {
    return record_.id != 0;
  }
  const auto disks = tables_->disks(txn);
  const auto index = tables_->instance(txn);
  if (!disks || !index) {
    return disks ? index.error() : disks.error();
  }
  generation_ = *generation;
  number_.reset();
  const disk_record* now = disks->by_tracker(tracker_->life());
  if (now == nullptr || !covers(*tracker_, *index, *now) ||
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
  const auto sure = txn ? read_record(*txn) : result<bool>(txn.error());
  if (!sure || !*sure) {
    return false;
  }
  if (number_ == number) {
    return true;
  }
  const auto value = txn->get(tables_->groups(), big_endian_key(number));
  // A group behind a page that cannot be read looks like one that is not there,
  // and that would be taken for zeros.
  if (!value || !tables_->check_whole()) {
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
  if (!view || !view->intact(number)) {
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
  if (doubted_ || extent >= told_.size()) {
    return std::nullopt;
  }
  auto found = known(extent);
  told_[extent] = told_[extent] || found.has_value();
  return found;
}

std::optional<known_extent> own_disk::known(std::uint64_t extent) {
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

error own_disk::doubt(error why) {
  const std::lock_guard lock(mutex_);
  doubted_ = true;
  return why;
}

void own_disk::mark_told(dirty_map& dirty) {
  const std::lock_guard lock(mutex_);
  for (std::uint64_t extent = 0; extent < told_.size(); ++extent) {
    if (told_[extent]) {
      dirty.mark(extent * extent_bytes,
                 extent_length(tracker_->disk_bytes(), extent));
      told_[extent] = false;
    }
  }
}

/// Marks may have been served into another index than ours, or for a record
/// that was scanned by others since: what was not dirty says nothing then.
result<void> own_disk::check_record() {
  auto same = tracker_->read_note();
  if (!same) {
    return same;
  }
  const std::lock_guard lock(mutex_);
  const auto txn = tables_->begin_read();
  if (!txn) {
    return txn.error();
  }
  generation_.reset();
  const auto covered = read_record(*txn);
  if (!covered) {
    return covered.error();
  }
  return *covered ? result<void>()
                  : error(errc::mismatch,
                          tracker_->device() +
                              ": its entry in the index was replaced");
}

result<void> own_disk::check() {
  if (auto same = check_record(); !same) {
    return doubt(same.error());
  }
  auto right = tracker_->audit();
  if (!right && right.error().code == errc::mismatch) {
    // Writes that wait in an I/O scheduler are in our count alone for a moment.
    std::this_thread::sleep_for(second_look);
    right = tracker_->audit();
  }
  if (right || right.error().code == errc::busy) {
    return {};  // while the guest writes, audit() has to wait
  }
  return doubt(right.error());
}

/// Waits until the counts of the kernel and of the tracker are of one moment.
result<void> own_disk::audit_at_rest() {
  const auto rest =
      wait_until_no_write_in_flight([this] { return tracker_->idle(); });
  if (!rest) {
    return rest;
  }
  if (auto honest = tracker_->audit(); !honest) {
    return in_context("the tracker of the index missed a write",
                      honest.error());
  }
  return {};
}

result<void> own_disk::audit() {
  auto right = check_record();
  if (right) {
    right = audit_at_rest();
  }
  return right ? right : result<void>(doubt(right.error()));
}

}  // namespace teleport::index
