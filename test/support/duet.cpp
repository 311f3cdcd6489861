// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/duet.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/aligned_buffer.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/migrate/extent_view.hpp"
#include "test/support/fake_lookup.hpp"

namespace teleport {

namespace {

std::vector<std::uint64_t> sizes_of(const std::vector<block_device*>& disks) {
  std::vector<std::uint64_t> sizes;
  sizes.reserve(disks.size());
  for (const block_device* disk : disks) {
    sizes.push_back(disk->size());
  }
  return sizes;
}

template <class T>
T take(std::vector<T>& from, std::size_t index) {
  T taken = std::move(from[index]);
  from.erase(from.begin() + static_cast<std::ptrdiff_t>(index));
  return taken;
}

/// Extents that a job reads anew.
std::size_t extents_in(const sender_job& job) {
  if (const auto* announce = std::get_if<announce_job>(&job)) {
    return announce->run.count;
  }
  return std::holds_alternative<round_job>(job) ? 1 : 0;
}

}  // namespace

duet::duet(std::uint64_t seed,
           std::vector<block_device*> disks,
           std::vector<target_disk> targets,
           content_lookup& lookup)
    : random_(seed),
      disks_(std::move(disks)),
      targets_(std::move(targets)),
      lookup_(lookup),
      sender_(sizes_of(disks_)),
      receiver_(sizes_of(disks_), probe_of(seed)) {
  for (const target_disk& target : targets_) {
    looked_at_.push_back(target.device);
  }
  for (std::size_t disk = 0; disk < disks_.size(); ++disk) {
    for (std::uint64_t i = 0; i < extents_of(disks_[disk]->size()); ++i) {
      unproven_.insert({static_cast<std::uint16_t>(disk), i});
    }
  }
}

void duet::expect(bool holds, const std::string& rule) {
  if (!holds && broken_.empty()) {
    broken_ = rule;
  }
}

result<void> duet::bulk() {
  sender_.start_bulk();
  return run_to_idle();
}

result<void> duet::round(std::vector<dirty_map> dirty) {
  sender_.start_round(std::move(dirty));
  return run_to_idle();
}

bool duet::over() const {
  return sender_.idle() && receiver_.idle() && sender_jobs_.empty() &&
         sender_done_.empty() && receiver_jobs_.empty() &&
         receiver_done_.empty() && to_destination_.bytes.empty() &&
         to_source_.bytes.empty();
}

result<void> duet::run_to_idle() {
  // Far above what any run needs: a livelock ends as a broken rule.
  constexpr int max_steps = 2'000'000;
  pull_sender();
  for (int steps = 0; !over(); ++steps) {
    if (steps == max_steps) {
      expect(false, "the pass does not come to an end");
      return {};
    }
    auto stepped = step();
    if (!stepped) {
      return stepped;
    }
    expect(receiver_.all_proven() == unproven_.empty(),
           "all_proven() is not what has been proven");
  }
  const pass_count pass = sum_of(sender_.pass());
  expect(
      pass.done == pass.total,
      fmt::format("{} of {} bytes of a finished pass", pass.done, pass.total));
  return {};
}

result<void> duet::step() {
  switch (pick(7)) {
    case 0:
      return run_sender_job();
    case 1:
      finish_sender_job();
      return {};
    case 2:
      return run_receiver_job();
    case 3:
      finish_receiver_job();
      return {};
    case 4:
      return deliver(true);
    case 5:
      return deliver(false);
    default:
      if (guest_) {
        guest_();
      }
      return {};
  }
}

void duet::pull_sender() {
  while (auto action = sender_.next()) {
    if (auto* job = std::get_if<sender_job>(&*action)) {
      under_way_ += extents_in(*job);
      expect(under_way_ <= max_outstanding, "too many extents under way");
      sender_jobs_.push_back(std::move(*job));
      continue;
    }
    const auto& record = std::get<raw_record>(*action);
    const byte_buffer bytes = frame(record.type, record.body);
    to_destination_.bytes.insert(
        to_destination_.bytes.end(), bytes.begin(), bytes.end());
  }
}

void duet::pull_receiver() {
  while (auto action = receiver_.next()) {
    if (auto* job = std::get_if<receiver_job>(&*action)) {
      receiver_jobs_.push_back(std::move(*job));
      continue;
    }
    const auto& record = std::get<raw_record>(*action);
    const byte_buffer bytes = frame(record.type, record.body);
    to_source_.bytes.insert(to_source_.bytes.end(), bytes.begin(), bytes.end());
  }
}

result<void> duet::run_sender_job() {
  if (sender_jobs_.empty()) {
    return {};
  }
  const auto job = take(sender_jobs_, pick(sender_jobs_.size()));
  std::vector<source_disk> sources;
  for (std::size_t i = 0; i < disks_.size(); ++i) {
    sources.push_back(
        {disks_[i], nullptr, known_.empty() ? nullptr : known_[i]});
  }
  auto done = do_sender_job(job, sources, packer_);
  if (!done) {
    return done.error();
  }
  if (done->record) {
    note_named(*done->record);
  }
  sender_done_.push_back(std::move(*done));
  return {};
}

/// What the source names last is what the target must hold when proven.
void duet::note_named(const raw_record& record) {
  if (record.type == record_type::extent_data) {
    const auto data = decode_extent_data(record.body);
    if (data) {
      named_[data->place] = data->digest;
    }
  }
  const auto extents = record.type == record_type::extents
                           ? decode_extents(record.body)
                           : result<extents_record>(extents_record());
  for (std::size_t i = 0; extents && i < extents->digests.size(); ++i) {
    const extent_place place{extents->disk, extents->first + i};
    const byte_buffer zeros(
        extent_length(disks_[place.disk]->size(), place.extent));
    named_[place] = extents->digests[i].value_or(digest_extent(zeros));
  }
}

void duet::finish_sender_job() {
  if (sender_done_.empty()) {
    return;
  }
  sender_.on_job_done(take(sender_done_, pick(sender_done_.size())));
  pull_sender();
}

result<void> duet::run_receiver_job() {
  if (receiver_jobs_.empty()) {
    return {};
  }
  auto job = take(receiver_jobs_, pick(receiver_jobs_.size()));
  if (auto* assembling = std::get_if<assemble_job>(&job)) {
    assembling->how.keep_bytes = pick(2) == 0;
  }
  auto done = do_receiver_job(std::move(job), targets_, lookup_, unpacker_);
  if (!done) {
    return done.error();
  }
  for (const stepped_extent& stepped : done->steps) {
    if (stepped.step == step_result::proven) {
      check_proven(stepped.work->place);
    }
  }
  receiver_done_.push_back(std::move(*done));
  return {};
}

void duet::check_proven(const extent_place& place) {
  auto* target = looked_at_[place.disk];
  aligned_buffer bytes(extent_length(target->size(), place.extent));
  const auto read = target->read_at(place.extent * extent_bytes, bytes.span());
  if (read) {
    expect(digest_extent(bytes.span()) == named_[place],
           fmt::format("extent {} of disk {} is called proven and differs",
                       place.extent,
                       place.disk));
  }
}

void duet::finish_receiver_job() {
  if (receiver_done_.empty()) {
    return;
  }
  auto done = take(receiver_done_, pick(receiver_done_.size()));
  for (const stepped_extent& stepped : done.steps) {
    if (stepped.step == step_result::proven) {
      unproven_.erase(stepped.work->place);
    }
  }
  receiver_.on_job_done(std::move(done));
  pull_receiver();
}

result<void> duet::deliver(bool to_destination) {
  pipe& from = to_destination ? to_destination_ : to_source_;
  const std::size_t most = std::min<std::size_t>(from.bytes.size(), 200'000);
  const std::size_t count = pick(4) == 0 ? most : pick(most + 1);
  const auto end = from.bytes.begin() + static_cast<std::ptrdiff_t>(count);
  from.records.feed(byte_buffer(from.bytes.begin(), end));
  from.bytes.erase(from.bytes.begin(), end);
  while (true) {
    const auto record = from.records.next();
    if (!record) {
      return record.error();
    }
    if (!*record) {
      return {};
    }
    on_delivered(**record, to_destination);
    auto taken = to_destination ? receiver_.on_record(**record)
                                : sender_.on_record(**record);
    if (!taken) {
      return taken;
    }
    pull_sender();
    pull_receiver();
  }
}

void duet::on_delivered(const raw_record& record, bool to_destination) {
  if (listener_) {
    listener_(to_destination, record);
  }
  if (record.type == record_type::extent_data) {
    const auto data = decode_extent_data(record.body);
    expect(data.has_value(), "EXTENT_DATA that does not decode");
    if (data) {
      unproven_.insert(data->place);
      data_[data->place] += data->raw_bytes;
      data_bytes_ += data->raw_bytes;
      expect(data_bytes_ <= max_data_bytes, "too much data under way");
    }
  }
  if (record.type == record_type::extent_states) {
    const auto states = decode_extent_states(record.body);
    expect(states.has_value(), "EXTENT_STATES that does not decode");
    for (std::size_t i = 0; states && i < states->entries.size(); ++i) {
      const bool proven = states->entries[i].state == extent_state::proven;
      under_way_ -= proven ? 1U : 0U;
      const auto answered = data_.find(states->entries[i].place);
      if (answered != data_.end()) {
        data_bytes_ -= answered->second;
        data_.erase(answered);
      }
    }
  }
}

}  // namespace teleport
