// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/disk_sender.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/migrate/extent_view.hpp"

namespace teleport {

namespace {

/// Extents whose bytes are kept from their announcement on. The wanted blocks
/// of other extents are read a second time: a disk is faster than a far link.
constexpr std::size_t max_held = 64;

/// No piece is packed while this much is queued for the link (80 ms at 100
/// Mbit/s). Announcements, which go through the same queue, then wait no longer
/// than that.
constexpr std::size_t enough_queued = 1_MiB;

/// Below this the link is about to run dry.
constexpr std::size_t little_queued = 128_KiB;

/// Extents' blocks that wait for the packer, or are being read for it.
constexpr std::size_t max_taken = 8;

/// No BLOCK_DIGESTS are made while wanted blocks of this many bytes wait: as
/// much as a wide link carries in a long round trip. Without this limit the
/// destination would keep the parts of extents whose gaps come much later.
constexpr std::size_t enough_wanted = 64_MiB;

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
  done.kept_bytes = job.keep_bytes;
  extents_record record;
  record.disk = job.run.disk;
  record.first = job.run.first;
  for (std::size_t i = 0; i < job.run.count; ++i) {
    auto extent =
        recall_or_capture(disk, {job.run.disk, job.run.first + i}, done);
    if (!extent) {
      return extent.error();
    }
    record.digests.push_back(extent->zero ? std::nullopt
                                          : std::optional(extent->digest));
    if (!job.keep_bytes) {
      forget_bytes(*extent);
    }
    done.captured.push_back(
        std::make_shared<const captured_extent>(std::move(*extent)));
  }
  done.record = raw_record{record_type::extents, encode(record)};
  return done;
}

result<sender_job_done> run_answer(const answer_job& job,
                                   const source_disk& disk) {
  const captured_extent& extent = *job.extent;
  sender_job_done done;
  if (!job.blocks) {
    done.record =
        raw_record{record_type::block_digests, encode(digests_of(extent))};
    return done;
  }
  if (!extent.bytes.empty()) {
    done.data = data_of(extent, *job.blocks);
    return done;
  }
  const block_mask written =
      disk.tracker == nullptr
          ? block_mask()
          : disk.tracker->written_since(extent.place.extent);
  if (!written.none()) {
    // Perhaps since it was announced: as in a round, all that was written comes
    // along, under the digest that the extent has now.
    const auto now = capture(*disk.device, extent.place);
    if (!now) {
      return now.error();
    }
    done.read_bytes = now->length;
    done.data = data_of(*now, *job.blocks | written);
    return done;
  }
  // If the guest writes to these blocks just now, they do not make up what was
  // announced: the destination finds that out, and is sent the whole.
  const auto read = read_blocks(*disk.device, extent, *job.blocks);
  if (!read) {
    return read.error();
  }
  done.read_bytes = bytes_of(*job.blocks, extent.length);
  done.data = data_of(*read, *job.blocks);
  return done;
}

result<sender_job_done> run_round(const round_job& job,
                                  const source_disk& disk) {
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
  done.data = data_of(*extent, blocks);
  extent->bytes = aligned_buffer();
  done.captured.push_back(
      std::make_shared<const captured_extent>(std::move(*extent)));
  return done;
}

result<sender_job_done> run_whole(const whole_job& job, block_device& disk) {
  const auto extent = capture(disk, job.place);
  if (!extent) {
    return extent.error();
  }
  const block_mask all = block_mask::first(blocks_in(extent->length));
  sender_job_done done;
  done.read_bytes = extent->length;
  done.data = data_of(*extent, all);
  return done;
}

sender_job_done run_pack(const pack_job& job, block_packer& packer) {
  const auto began = std::chrono::steady_clock::now();
  extent_data_record record = job.data.head;
  packed coded = packer.pack(job.data.raw, job.level);
  record.coding = coded.coding;
  record.payload = std::move(coded.bytes);
  sender_job_done done;
  done.record = raw_record{record_type::extent_data, encode(record)};
  done.packing = std::chrono::steady_clock::now() - began;
  return done;
}

}  // namespace

result<sender_job_done> do_sender_job(const sender_job& job,
                                      const std::vector<source_disk>& disks,
                                      block_packer& packer) {
  if (const auto* announce = std::get_if<announce_job>(&job)) {
    return run_announce(*announce, disks[announce->run.disk]);
  }
  if (const auto* round = std::get_if<round_job>(&job)) {
    return run_round(*round, disks[round->place.disk]);
  }
  if (const auto* whole = std::get_if<whole_job>(&job)) {
    return run_whole(*whole, *disks[whole->place.disk].device);
  }
  if (const auto* pack = std::get_if<pack_job>(&job)) {
    return run_pack(*pack, packer);
  }
  const auto& answer = std::get<answer_job>(job);
  return run_answer(answer, disks[answer.extent->place.disk]);
}

pass_count sum_of(const std::vector<pass_count>& disks) noexcept {
  pass_count sum;
  for (const pass_count& disk : disks) {
    sum.done += disk.done;
    sum.total += disk.total;
  }
  return sum;
}

disk_sender::disk_sender(std::vector<std::uint64_t> disk_bytes)
    : disk_bytes_(std::move(disk_bytes)) {
  assert(disk_bytes_.size() <= max_disks);
}

void disk_sender::start_bulk() {
  assert(idle());
  bulk_ = bulk_order(disk_bytes_);
  in_round_ = false;
  pass_.clear();
  for (const std::uint64_t bytes : disk_bytes_) {
    pass_.push_back({0, bytes});
  }
}

void disk_sender::start_round(std::vector<dirty_map> dirty) {
  assert(idle() && dirty.size() == disk_bytes_.size());
  dirty_ = std::move(dirty);
  in_round_ = true;
  pass_.clear();
  for (const dirty_map& map : dirty_) {
    pass_count& disk = pass_.emplace_back();
    for (auto at = map.next_extent(0); at; at = map.next_extent(*at + 1)) {
      disk.total += extent_length(map.disk_bytes(), *at);
    }
  }
}

std::optional<sender_job> disk_sender::next_bulk() {
  const auto run = bulk_.next();
  if (!run || outstanding_.size() + reading_ + run->count > max_outstanding) {
    return std::nullopt;
  }
  bulk_.advance();
  const announce_job job{*run, held_ + run->count <= max_held};
  held_ += job.keep_bytes ? run->count : 0;
  reading_ += run->count;
  return job;
}

std::optional<sender_job> disk_sender::next_round() {
  if (outstanding_.size() + reading_ >= max_outstanding || !may_take()) {
    return std::nullopt;
  }
  for (std::size_t disk = 0; disk < dirty_.size(); ++disk) {
    const auto extent = dirty_[disk].next_extent(0);
    if (!extent) {
      continue;
    }
    round_job job;
    job.place = {static_cast<std::uint16_t>(disk), *extent};
    job.blocks = dirty_[disk].take_extent(*extent);
    ++reading_;
    take(length_of(job.place));
    return job;
  }
  return std::nullopt;
}

/// There is room for another extent's blocks: however few are wanted, what was
/// written since may come along.
bool disk_sender::may_take() const noexcept {
  return taking_ + to_pack_.size() < max_taken &&
         data_bytes_ + extent_bytes <= max_data_bytes;
}

/// Until the job has told how many bytes it took, they may be all.
void disk_sender::take(std::size_t length) {
  ++taking_;
  data_bytes_ += length;
}

/// Answers to what the destination asked for.
std::optional<sender_job> disk_sender::next_answer(bool link_full) {
  if (!digests_wanted_.empty() && wanted_bytes_ < enough_wanted) {
    entry& asked = outstanding_.at(digests_wanted_.front());
    digests_wanted_.pop_front();
    asked.at = stage::wants_data;
    asked.queued = false;
    return answer_job{asked.extent, std::nullopt};
  }
  if (link_full || data_wanted_.empty() || !may_take()) {
    return std::nullopt;
  }
  const wanted_blocks wanted = data_wanted_.front();
  data_wanted_.pop_front();
  wanted_bytes_ -= bytes_of(wanted.blocks, length_of(wanted.place));
  entry& asked = outstanding_.at(wanted.place);
  asked.queued = false;
  take(length_of(wanted.place));
  if (asked.at == stage::sent_whole) {
    return whole_job{wanted.place};
  }
  asked.at = stage::answered;
  answer_job job{asked.extent, wanted.blocks};
  forget_extent(asked);
  return job;
}

std::optional<sender_job> disk_sender::next_pack(std::size_t queued,
                                                 time_point now) {
  using held_up_by = pack_level::held_up_by;
  if (packing_ || to_pack_.empty()) {
    return std::nullopt;
  }
  if (queued >= enough_queued) {
    held_up_by_ = held_up_by::link;
    return std::nullopt;
  }
  if (held_up_by_ == held_up_by::packing && queued >= little_queued) {
    held_up_by_ = held_up_by::nothing;
  }
  level_.on_piece(to_pack_.front().raw.size(),
                  std::exchange(held_up_by_, held_up_by::nothing),
                  now);
  packing_ = true;
  pack_job job{std::move(to_pack_.front()), level_.now()};
  to_pack_.pop_front();
  return job;
}

/// Forgets the extent and the bytes that are held for it.
void disk_sender::forget_extent(entry& known) {
  held_ -= known.extent && !known.extent->bytes.empty() ? 1U : 0U;
  known.extent.reset();
}

std::optional<disk_sender::action> disk_sender::next(std::size_t queued,
                                                     time_point now) {
  if (!ready_.empty()) {
    std::optional<action> first(std::move(ready_.front()));
    ready_.pop_front();
    return first;
  }
  const bool link_full = queued >= enough_queued;
  auto job = next_pack(queued, now);
  if (!job) {
    job = next_answer(link_full);
  }
  if (!job) {
    job = next_bulk();
  }
  if (!job && !link_full) {
    job = next_round();
  }
  return job ? std::optional<action>(std::in_place, std::move(*job))
             : std::nullopt;
}

void disk_sender::on_job_done(sender_job_done done) {
  if (done.record && done.record->type == record_type::extents) {
    held_ -= done.kept_bytes ? done.captured.size() : 0;
    for (shared_extent& extent : done.captured) {
      --reading_;
      held_ += extent->bytes.empty() ? 0U : 1U;
      const extent_place place = extent->place;
      outstanding_[place].extent = std::move(extent);
    }
  }
  counts_.known += done.known_bytes;
  (in_round_ ? counts_.read_in_rounds : counts_.read_in_bulk) +=
      done.read_bytes;
  if (done.data) {
    for (const shared_extent& extent : done.captured) {
      --reading_;
      outstanding_[extent->place].at = stage::answered;
    }
    const extent_place& place = done.data->head.place;
    --taking_;
    data_bytes_ -= length_of(place) - done.data->raw.size();
    outstanding_.at(place).data_bytes = done.data->raw.size();
    to_pack_.push_back(std::move(*done.data));
  }
  if (!done.record) {
    return;
  }
  if (done.record->type == record_type::extent_data) {
    packing_ = false;
    level_.on_packed(done.packing, done.record->body.size());
    held_up_by_ = to_pack_.empty() ? pack_level::held_up_by::nothing
                                   : pack_level::held_up_by::packing;
  }
  ready_.emplace_back(std::move(*done.record));
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
  it->second.at = stage::wanted;
  it->second.queued = true;
  const std::size_t bytes = bytes_of(wanted->blocks, length_of(wanted->place));
  wanted_ += bytes;
  wanted_bytes_ += bytes;
  data_wanted_.push_back({wanted->place, wanted->blocks});
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
        if (known.queued) {
          return error(errc::protocol, "an extent proven without its answer");
        }
        pass_.at(place.disk).done += length_of(place);
        data_bytes_ -= known.data_bytes;
        forget_extent(known);
        outstanding_.erase(it);
        break;
      case extent_state::wants_digests:
        if (known.at != stage::announced || known.extent->zero) {
          return error(errc::protocol, "digests wanted twice or of zeros");
        }
        known.at = stage::wants_digests;
        known.queued = true;
        digests_wanted_.push_back(place);
        break;
      case extent_state::mismatch:
        // What was announced or marked is not what was sent, or a digest
        // found the wrong block. Once all of it has been sent as it was read
        // in one go, there is nothing better to send.
        if (known.at != stage::wants_data && known.at != stage::answered) {
          return error(errc::protocol,
                       known.at == stage::sent_whole
                           ? "a mismatch of an extent that was sent whole"
                           : "a mismatch before any data");
        }
        known.at = stage::sent_whole;
        known.queued = true;
        data_bytes_ -= std::exchange(known.data_bytes, 0);
        forget_extent(known);
        data_wanted_.push_back({place, block_mask()});
        break;
    }
  }
  return {};
}

std::size_t disk_sender::length_of(const extent_place& place) const {
  return extent_length(disk_bytes_[place.disk], place.extent);
}

bool disk_sender::all_sent() const noexcept {
  if (reading_ != 0 || !ready_.empty() || !digests_wanted_.empty() ||
      !data_wanted_.empty() || taking_ != 0 || packing_ || !to_pack_.empty() ||
      !bulk_.over()) {
    return false;
  }
  return std::ranges::all_of(dirty_,
                             [](const dirty_map& map) { return map.empty(); });
}

bool disk_sender::idle() const noexcept {
  return outstanding_.empty() && all_sent();
}

}  // namespace teleport
