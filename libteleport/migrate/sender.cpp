// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/sender.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "libteleport/migrate/extent_view.hpp"

namespace teleport {

namespace {

/// Extents read and announced in one go: 8 MiB of sequential reading, and an
/// announcement whose header costs little beside its digests.
constexpr std::size_t announce_batch = 8;

/// The extent as it is known, or else as it is on the disk.
result<captured_extent> recall_or_capture(const source_disk& disk,
                                          const extent_place& place,
                                          sender_job_done& done) {
  auto known =
      disk.known != nullptr ? disk.known->find(place.extent) : std::nullopt;
  auto recalled = known ? recall(disk.device->size(), place, std::move(*known))
                        : std::nullopt;
  if (recalled) {
    done.known_bytes += recalled->length;
    return std::move(*recalled);
  }
  auto extent = capture(*disk.device, place);
  if (extent) {
    done.read_bytes += extent->length;
  }
  return extent;
}

result<sender_job_done> run_announce(const announce_job& job,
                                     const source_disk& disk) {
  sender_job_done done;
  extents_record record;
  record.disk = job.disk;
  record.first = job.first;
  for (std::size_t i = 0; i < job.count; ++i) {
    auto extent = recall_or_capture(disk, {job.disk, job.first + i}, done);
    if (!extent) {
      return extent.error();
    }
    record.digests.push_back(extent->zero ? std::nullopt
                                          : std::optional(extent->digest));
    done.captured.push_back(
        std::make_shared<const captured_extent>(std::move(*extent)));
  }
  done.record = {record_type::extents, encode(record)};
  return done;
}

result<sender_job_done> run_answer(const answer_job& job,
                                   block_device& disk,
                                   int level) {
  const captured_extent& extent = *job.extent;
  sender_job_done done;
  if (!job.blocks) {
    done.record = {record_type::block_digests, encode(digests_of(extent))};
    return done;
  }
  if (!extent.bytes.empty()) {
    done.record = {record_type::extent_data,
                   encode(data_of(extent, *job.blocks, level))};
    return done;
  }
  // If the guest has written to these blocks since, they do not make up what
  // was announced: the destination finds that out, and is sent the whole.
  const auto read = read_blocks(disk, extent, *job.blocks);
  if (!read) {
    return read.error();
  }
  done.read_bytes = bytes_of(*job.blocks, extent.length);
  done.record = {record_type::extent_data,
                 encode(data_of(*read, *job.blocks, level))};
  return done;
}

result<sender_job_done> run_round(const round_job& job,
                                  const source_disk& disk,
                                  int level) {
  auto extent = capture(*disk.device, job.place);
  if (!extent) {
    return extent.error();
  }
  // What the guest has written to this extent since its marks were taken is in
  // the bytes just read: it goes along, or the extent's proof would fail. It is
  // still marked, and comes again in the next round.
  block_mask blocks = job.blocks;
  if (disk.tracker != nullptr) {
    blocks = blocks | disk.tracker->written_since(job.place.extent);
  }
  sender_job_done done;
  done.read_bytes = extent->length;
  done.record = {record_type::extent_data,
                 encode(data_of(*extent, blocks, level))};
  extent->bytes = aligned_buffer();
  done.captured.push_back(
      std::make_shared<const captured_extent>(std::move(*extent)));
  return done;
}

result<sender_job_done> run_whole(const whole_job& job,
                                  block_device& disk,
                                  int level) {
  const auto extent = capture(disk, job.place);
  if (!extent) {
    return extent.error();
  }
  const block_mask all = block_mask::first(blocks_in(extent->length));
  sender_job_done done;
  done.read_bytes = extent->length;
  done.record = {record_type::extent_data,
                 encode(data_of(*extent, all, level))};
  return done;
}

}  // namespace

result<sender_job_done> run(const sender_job& job,
                            const std::vector<source_disk>& disks,
                            int level) {
  if (const auto* announce = std::get_if<announce_job>(&job)) {
    return run_announce(*announce, disks[announce->disk]);
  }
  if (const auto* round = std::get_if<round_job>(&job)) {
    return run_round(*round, disks[round->place.disk], level);
  }
  if (const auto* whole = std::get_if<whole_job>(&job)) {
    return run_whole(*whole, *disks[whole->place.disk].device, level);
  }
  const auto& answer = std::get<answer_job>(job);
  return run_answer(answer, *disks[answer.extent->place.disk].device, level);
}

disk_sender::disk_sender(std::vector<std::uint64_t> disk_bytes)
    : disk_bytes_(std::move(disk_bytes)),
      disk_(static_cast<std::uint16_t>(disk_bytes_.size())) {
  assert(disk_bytes_.size() <= max_disks);
}

void disk_sender::start_bulk() {
  assert(idle());
  disk_ = 0;
  extent_ = 0;
  in_round_ = false;
  done_ = 0;
  total_ = 0;
  for (const std::uint64_t bytes : disk_bytes_) {
    total_ += bytes;
  }
}

void disk_sender::start_round(std::vector<dirty_map> dirty) {
  assert(idle() && dirty.size() == disk_bytes_.size());
  dirty_ = std::move(dirty);
  in_round_ = true;
  done_ = 0;
  total_ = 0;
  for (const dirty_map& map : dirty_) {
    for (auto at = map.next_extent(0); at; at = map.next_extent(*at + 1)) {
      total_ += extent_length(map.disk_bytes(), *at);
    }
  }
}

std::optional<sender_job> disk_sender::next_bulk() {
  while (disk_ < disk_bytes_.size() &&
         extent_ == extents_of(disk_bytes_[disk_])) {
    ++disk_;
    extent_ = 0;
  }
  if (disk_ == disk_bytes_.size()) {
    return std::nullopt;
  }
  announce_job job{disk_, extent_, announce_batch};
  job.count = std::min<std::uint64_t>(announce_batch,
                                      extents_of(disk_bytes_[disk_]) - extent_);
  if (outstanding_.size() + reading_ + job.count > max_outstanding) {
    return std::nullopt;
  }
  extent_ += job.count;
  reading_ += job.count;
  return job;
}

std::optional<sender_job> disk_sender::next_round() {
  if (outstanding_.size() + reading_ >= max_outstanding) {
    return std::nullopt;
  }
  for (std::size_t disk = 0; disk < dirty_.size(); ++disk) {
    const auto extent = dirty_[disk].next_extent(0);
    if (!extent) {
      continue;
    }
    round_job job;
    job.place = {static_cast<std::uint16_t>(disk), *extent};
    job.blocks.words = std::to_array(dirty_[disk].take_extent(*extent).words);
    ++reading_;
    return job;
  }
  return std::nullopt;
}

std::optional<disk_sender::action> disk_sender::next() {
  if (!ready_.empty()) {
    std::optional<action> first(std::move(ready_.front()));
    ready_.pop_front();
    return first;
  }
  if (auto job = next_bulk()) {
    return std::optional<action>(std::in_place, std::move(*job));
  }
  if (auto job = next_round()) {
    return std::optional<action>(std::in_place, std::move(*job));
  }
  return std::nullopt;
}

void disk_sender::on_job_done(sender_job_done done) {
  const bool data = done.record.type == record_type::extent_data;
  for (shared_extent& extent : done.captured) {
    const extent_place place = extent->place;
    --reading_;
    outstanding_[place] = data ? entry{nullptr, stage::answered}
                               : entry{std::move(extent), stage::announced};
  }
  counts_.known += done.known_bytes;
  (in_round_ ? counts_.read_in_rounds : counts_.read_in_bulk) +=
      done.read_bytes;
  ready_.emplace_back(std::move(done.record));
}

result<void> disk_sender::on_record(const raw_record& record) {
  if (record.type == record_type::extent_states) {
    const auto states = decode_extent_states(record.body);
    return states ? on_states(*states) : states.error();
  }
  if (record.type != record_type::wanted) {
    return error(errc::protocol, "a record that is no answer about disks");
  }
  const auto wanted = decode_wanted(record.body);
  if (!wanted) {
    return wanted.error();
  }
  const auto it = outstanding_.find(wanted->place);
  if (it == outstanding_.end() || it->second.at != stage::wants_data ||
      wanted->blocks.none()) {
    return error(errc::protocol, "blocks wanted that were not offered");
  }
  it->second.at = stage::answered;
  wanted_ += bytes_of(wanted->blocks, length_of(wanted->place));
  ready_.emplace_back(
      sender_job(answer_job{std::move(it->second.extent), wanted->blocks}));
  return {};
}

result<void> disk_sender::on_states(const extent_states_record& record) {
  for (const auto& [place, state] : record.entries) {
    const auto it = outstanding_.find(place);
    if (it == outstanding_.end()) {
      return error(errc::protocol,
                   fmt::format("a state for extent {} of disk {}, which is not "
                               "under way",
                               place.extent,
                               place.disk));
    }
    entry& known = it->second;
    switch (state) {
      case extent_state::proven:
        done_ += length_of(place);
        outstanding_.erase(it);
        break;
      case extent_state::wants_digests:
        if (known.at != stage::announced || known.extent->zero) {
          return error(errc::protocol, "digests wanted twice or of zeros");
        }
        known.at = stage::wants_data;
        ready_.emplace_back(sender_job(answer_job{known.extent, std::nullopt}));
        break;
      case extent_state::mismatch:
        // What was announced or marked is not what was sent, or a digest
        // found the wrong block. Once all of it has been sent as it was read
        // in one go, there is nothing better to send.
        if (known.at == stage::announced || known.at == stage::sent_whole) {
          return error(errc::protocol,
                       known.at == stage::announced
                           ? "a mismatch before any data"
                           : "a mismatch of an extent that was sent whole");
        }
        known.at = stage::sent_whole;
        known.extent.reset();
        ready_.emplace_back(sender_job(whole_job{place}));
        break;
    }
  }
  return {};
}

std::size_t disk_sender::length_of(const extent_place& place) const {
  return extent_length(disk_bytes_[place.disk], place.extent);
}

bool disk_sender::idle() const noexcept {
  if (!outstanding_.empty() || reading_ != 0 || !ready_.empty()) {
    return false;
  }
  for (std::size_t disk = disk_; disk < disk_bytes_.size(); ++disk) {
    if (disk_bytes_[disk] != 0 &&
        (disk != disk_ || extent_ < extents_of(disk_bytes_[disk]))) {
      return false;
    }
  }
  return std::ranges::all_of(dirty_,
                             [](const dirty_map& map) { return map.empty(); });
}

}  // namespace teleport
