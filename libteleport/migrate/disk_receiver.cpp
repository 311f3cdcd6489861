// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/disk_receiver.hpp"

#include <utility>

#include <fmt/format.h>

#include "libteleport/migrate/extent_view.hpp"

namespace teleport {

namespace {

result<receiver_job_done> one(std::unique_ptr<extent_work> work,
                              const result<step_result>& step) {
  if (!step) {
    return step.error();
  }
  receiver_job_done done;
  done.steps.push_back({std::move(work), *step});
  return done;
}

result<receiver_job_done> run_examine(const extents_record& record,
                                      const target_disk& target) {
  receiver_job_done done;
  for (std::size_t i = 0; i < record.digests.size(); ++i) {
    auto work = std::make_unique<extent_work>();
    work->place = {record.disk, record.first + i};
    const auto step = examine(target, record.digests[i], *work);
    if (!step) {
      return step.error();
    }
    done.steps.push_back({std::move(work), *step});
  }
  return done;
}

result<receiver_job_done> run_unpack(extent_data_record record,
                                     block_unpacker& unpacker) {
  block_data data;
  if (record.coding == data_coding::plain) {
    data.raw = std::move(record.payload);  // as long as raw_bytes: decoded so
  } else {
    data.raw.resize(record.raw_bytes);
    const auto unpacked =
        unpacker.unpack(record.payload, record.coding, data.raw);
    if (!unpacked) {
      return unpacked.error();
    }
  }
  data.head = std::move(record);
  data.head.payload = byte_buffer();
  receiver_job_done done;
  done.unpacked = std::move(data);
  return done;
}

template <class Queued>
std::optional<disk_receiver::action> take_first(std::deque<Queued>& from) {
  std::optional<disk_receiver::action> first(std::in_place,
                                             std::move(from.front()));
  from.pop_front();
  return first;
}

/// Extents whose bytes are kept while their gaps are on their way: 96 MiB.
/// Other extents are put together a second time, from the disks.
constexpr std::size_t max_kept = 96;

error out_of_order(const extent_place& place, std::string_view what) {
  return {errc::protocol,
          fmt::format("{} for extent {} of disk {} out of order",
                      what,
                      place.extent,
                      place.disk)};
}

}  // namespace

result<receiver_job_done> do_receiver_job(
    receiver_job job,
    const std::vector<target_disk>& targets,
    content_lookup& lookup,
    block_unpacker& unpacker) {
  if (auto* unpacking = std::get_if<unpack_job>(&job)) {
    return run_unpack(std::move(unpacking->record), unpacker);
  }
  if (auto* examining = std::get_if<examine_job>(&job)) {
    return run_examine(examining->record, targets[examining->record.disk]);
  }
  if (auto* assembling = std::get_if<assemble_job>(&job)) {
    const auto step = assemble(targets[assembling->record.place.disk],
                               lookup,
                               std::move(assembling->record),
                               assembling->how,
                               *assembling->work);
    return one(std::move(assembling->work), step);
  }
  if (auto* filling = std::get_if<fill_job>(&job)) {
    const auto step = fill(targets[filling->data.head.place.disk],
                           lookup,
                           filling->data,
                           *filling->work);
    return one(std::move(filling->work), step);
  }
  const block_data& data = std::get<overlay_job>(job).data;
  auto work = std::make_unique<extent_work>();
  work->place = data.head.place;
  const auto step = overlay(targets[data.head.place.disk], data, *work);
  return one(std::move(work), step);
}

disk_receiver::disk_receiver(const std::vector<std::uint64_t>& disk_bytes,
                             const possession_probe& probe,
                             const digest_account& account)
    : probe_(probe), account_(account), proven_(disk_bytes) {}

result<void> disk_receiver::on_record(const raw_record& record) {
  if (account_.is_over()) {
    return error(errc::protocol,
                 fmt::format("the source names blocks by digests that are of "
                             "nothing that it has: {}",
                             account_.text()));
  }
  if (record.type == record_type::extents) {
    auto extents = decode_extents(record.body);
    return extents ? on_extents(std::move(*extents)) : extents.error();
  }
  if (record.type == record_type::block_digests) {
    auto digests = decode_block_digests(record.body);
    return digests ? on_digests(std::move(*digests)) : digests.error();
  }
  if (record.type != record_type::extent_data) {
    return error(errc::protocol, "a record that is not about disks");
  }
  auto data = decode_extent_data(record.body);
  return data ? on_data(std::move(*data)) : data.error();
}

result<void> disk_receiver::on_extents(extents_record record) {
  if (outstanding_.size() + record.digests.size() > max_outstanding) {
    return error(errc::protocol, "more extents under way than allowed");
  }
  for (std::size_t i = 0; i < record.digests.size(); ++i) {
    const extent_place place{record.disk, record.first + i};
    if (!proven_.inside(place) || proven_.has(place) ||
        outstanding_.contains(place)) {
      return out_of_order(place, "an announcement");
    }
    outstanding_.emplace(place, entry{});
  }
  to_examine_.emplace_back(examine_job{std::move(record)});
  return {};
}

result<void> disk_receiver::on_digests(block_digests_record record) {
  const auto it = outstanding_.find(record.place);
  if (it == outstanding_.end() || it->second.at != stage::wants_digests) {
    return out_of_order(record.place, "digests");
  }
  it->second.kept = kept_ < max_kept;
  kept_ += it->second.kept ? 1U : 0U;
  it->second.at = stage::working;
  account_.on_named(record.digests.size());
  to_assemble_.emplace_back(assemble_job{std::move(record),
                                         assembly{probe_, it->second.kept},
                                         std::move(it->second.work)});
  return {};
}

result<void> disk_receiver::on_data(extent_data_record record) {
  const extent_place place = record.place;
  const auto it = outstanding_.find(place);
  if (it != outstanding_.end()) {
    if (it->second.at != stage::wants_data) {
      return out_of_order(place, "data");
    }
    it->second.at = stage::working;
    return take_data(it->second, std::move(record));
  }
  if (!proven_.inside(place) || !proven_.has(place)) {
    return out_of_order(place, "data");
  }
  if (outstanding_.size() >= max_outstanding) {
    return error(errc::protocol, "more extents under way than allowed");
  }
  // Until this is applied and proven, the extent is not what the source has.
  proven_.remove(place);
  entry& round = outstanding_[place];
  round.round = true;
  return take_data(round, std::move(record));
}

result<void> disk_receiver::take_data(entry& known, extent_data_record record) {
  known.data_bytes = record.raw_bytes;
  data_bytes_ += known.data_bytes;
  if (data_bytes_ > max_data_bytes) {
    return error(errc::protocol, "more data under way than allowed");
  }
  to_unpack_.push_back(std::move(record));
  return {};
}

/// The extent's data is answered: it counts no more as under way.
void disk_receiver::count_answered(entry& known) {
  data_bytes_ -= std::exchange(known.data_bytes, 0);
}

/// Its place among those whose bytes stay in memory is free again.
void disk_receiver::release_bytes(entry& known) {
  kept_ -= std::exchange(known.kept, false) ? 1U : 0U;
}

void disk_receiver::on_unpacked(block_data data) {
  unpacking_ = false;
  entry& known = outstanding_.at(data.head.place);
  if (known.work) {
    to_assemble_.emplace_back(fill_job{std::move(data), std::move(known.work)});
  } else {
    to_assemble_.emplace_back(overlay_job{std::move(data)});
  }
}

void disk_receiver::step(stepped_extent stepped, extent_states_record& states) {
  const extent_place place = stepped.work->place;
  entry& known = outstanding_.at(place);
  switch (stepped.step) {
    case step_result::proven:
      (known.round ? rounds_ : bulk_) += stepped.work->counts;
      account_.on_proven(stepped.work->named, stepped.work->untrue);
      proven_.add(place);
      count_answered(known);
      release_bytes(known);
      outstanding_.erase(place);
      states.entries.push_back({place, extent_state::proven});
      return;
    case step_result::wants_digests:
      known.at = stage::wants_digests;
      states.entries.push_back({place, extent_state::wants_digests});
      break;
    case step_result::has_gaps: {
      known.at = stage::wants_data;
      const std::size_t blocks = blocks_in(stepped.work->length);
      const wanted_record wanted{
          place, block_mask::first(blocks) - stepped.work->have};
      answers_.push_back({record_type::wanted, encode(wanted)});
      break;
    }
    case step_result::mismatch:
      count_answered(known);
      known.at = stage::wants_data;
      states.entries.push_back({place, extent_state::mismatch});
      break;
  }
  if (stepped.work->bytes.empty()) {
    release_bytes(known);
  }
  known.work = std::move(stepped.work);
}

void disk_receiver::on_job_done(receiver_job_done done) {
  extent_states_record states;
  if (done.unpacked) {
    on_unpacked(std::move(*done.unpacked));
  }
  for (stepped_extent& stepped : done.steps) {
    step(std::move(stepped), states);
  }
  if (!states.entries.empty()) {
    answers_.push_back({record_type::extent_states, encode(states)});
  }
}

std::optional<disk_receiver::action> disk_receiver::next() {
  if (!answers_.empty()) {
    return take_first(answers_);
  }
  if (!unpacking_ && !to_unpack_.empty()) {
    unpacking_ = true;
    unpack_job job{std::move(to_unpack_.front())};
    to_unpack_.pop_front();
    return std::optional<action>(std::in_place, receiver_job(std::move(job)));
  }
  if (!to_assemble_.empty()) {
    return take_first(to_assemble_);
  }
  if (!to_examine_.empty()) {
    return take_first(to_examine_);
  }
  return std::nullopt;
}

}  // namespace teleport
