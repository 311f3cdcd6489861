// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/rebuild.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libteleport/migrate/extent_view.hpp"

namespace teleport {

namespace {

/// Shorter runs of zeros are written as such: a discard of a few blocks costs
/// the file system more than it gives back.
constexpr std::size_t min_discard_blocks = 16;

std::uint64_t offset_of(const extent_place& place) {
  return place.extent * extent_bytes;
}

/// Blocks of `bytes` that are what the target holds.
///
/// @param present  empty for a blank target
block_mask same_blocks(byte_span bytes, const aligned_buffer& present) {
  block_mask same;
  for (std::size_t i = 0; i < blocks_in(bytes.size()); ++i) {
    const byte_span block = block_of(bytes, i);
    if (present.empty() ? is_zero(block)
                        : same_bytes(block, block_of(present.span(), i))) {
      same.set(i);
    }
  }
  return same;
}

/// Writes what differs: runs of zeros are given back, the rest written.
result<void> write_changes(const target_disk& target,
                           const extent_work& work,
                           const block_mask& changed) {
  const byte_span bytes = work.bytes.span();
  block_mask zeros;
  block_mask to_discard;
  for (std::size_t i = 0; i < blocks_in(bytes.size()); ++i) {
    if (changed.test(i) && is_zero(block_of(bytes, i))) {
      zeros.set(i);
    }
  }
  for_each_run(zeros, [&](std::size_t first, std::size_t count) {
    for (std::size_t i = first;
         count >= min_discard_blocks && i < first + count;
         ++i) {
      to_discard.set(i);
    }
  });
  result<void> outcome;
  const auto range = [&](std::size_t first, std::size_t count) {
    const std::size_t at = first * block_bytes;
    return bytes.subspan(at, std::min(count * block_bytes, bytes.size() - at));
  };
  for_each_run(to_discard, [&](std::size_t first, std::size_t count) {
    if (outcome) {
      outcome =
          target.device->zero_at(offset_of(work.place) + first * block_bytes,
                                 range(first, count).size());
    }
  });
  for_each_run(changed - to_discard, [&](std::size_t first, std::size_t count) {
    if (outcome) {
      outcome = target.device->write_at(
          offset_of(work.place) + first * block_bytes, range(first, count));
    }
  });
  return outcome;
}

/// What the target holds there; empty for a blank one.
result<aligned_buffer> read_present(const target_disk& target,
                                    const extent_work& work) {
  if (target.blank) {
    return aligned_buffer();
  }
  aligned_buffer present = aligned_buffer::uncleared(work.length);
  const auto read =
      target.device->read_at(offset_of(work.place), present.span());
  if (!read) {
    return read.error();
  }
  return present;
}

/// Copies what is about to be overwritten into the store of before-images.
///
/// @param present  what the target holds, where that was read already
void keep_before(const target_disk& target,
                 const extent_work& work,
                 const aligned_buffer* present,
                 const block_mask& changed) {
  if (target.before == nullptr || target.blank || changed.none()) {
    return;
  }
  result<aligned_buffer> read = aligned_buffer();
  if (present == nullptr) {
    read = read_present(target, work);
    if (!read) {
      return;  // the write that follows tells of the disk's failure
    }
    present = &*read;
  }
  for_each_run(changed, [&](std::size_t first, std::size_t count) {
    const std::size_t at = first * block_bytes;
    target.before->keep(present->span().subspan(
        at, std::min(count * block_bytes, work.length - at)));
  });
}

/// Forgets what was found here: every block is to cross the link.
step_result give_up(extent_work& work) {
  work.bytes = aligned_buffer();
  work.is_dropped = false;
  work.have = {};
  work.in_place = {};
  work.counts = {};
  work.counts.mismatches = 1;
  return step_result::mismatch;
}

/// Proves `work.bytes` and writes it.
///
/// @param present  as of keep_before()
result<step_result> prove(const target_disk& target,
                          extent_work& work,
                          const aligned_buffer* present = nullptr) {
  if (digest_extent(work.bytes.span()) != work.digest) {
    return give_up(work);
  }
  const block_mask changed =
      block_mask::first(blocks_in(work.length)) - work.in_place;
  keep_before(target, work, present, changed);
  const auto written = write_changes(target, work, changed);
  if (!written) {
    return written.error();
  }
  return step_result::proven;
}

/// Puts the record's blocks into `work.bytes`.
result<void> apply_data(const block_data& data, extent_work& work) {
  const extent_data_record& record = data.head;
  const std::span<std::byte> bytes = work.bytes.span();
  const block_mask inside = block_mask::first(blocks_in(bytes.size()));
  if (!((record.data | record.zero) - inside).none() ||
      data.raw.size() != bytes_of(record.data, bytes.size())) {
    return error(errc::protocol,
                 fmt::format("data of extent {} of disk {} does not fit it",
                             record.place.extent,
                             record.place.disk));
  }
  byte_span rest = data.raw;
  for (std::size_t i = 0; i < blocks_in(bytes.size()); ++i) {
    const std::span<std::byte> block = block_of(bytes, i);
    if (record.data.test(i)) {
      copy_bytes(rest.first(block.size()), block);
      rest = rest.subspan(block.size());
    } else if (record.zero.test(i)) {
      std::memset(block.data(), 0, block.size());
    }
  }
  work.have = work.have | record.data | record.zero;
  // The target may hold what was announced, and the source may have written
  // these blocks since.
  work.in_place = work.in_place - (record.data | record.zero);
  return {};
}

result<step_result> examine_zero(const target_disk& target,
                                 const aligned_buffer& present,
                                 extent_work& work) {
  work.counts.zero = work.length;
  if (present.empty() || is_zero(present.span())) {
    return step_result::proven;
  }
  if (target.before != nullptr) {
    target.before->keep(present.span());
  }
  const auto zeroed =
      target.device->zero_at(offset_of(work.place), work.length);
  if (!zeroed) {
    return zeroed.error();
  }
  return step_result::proven;
}

/// Takes one block of a donor's, when it is the one that is wanted: a stale
/// block costs one gap and not the extent.
void take_block(std::span<const std::byte> block,
                block_digest wanted,
                std::size_t place,
                extent_work& work) {
  if (work.have.test(place) || digest_block(block) != wanted) {
    return;
  }
  const auto to = block_of(work.bytes.span(), place);
  copy_bytes(block.first(to.size()), to);
  work.have.set(place);
  work.counts.donors += to.size();
}

/// Fills blocks from a donor that has the whole extent: one look-up, and the
/// donor is read in one piece.
void take_from_whole(content_lookup& lookup,
                     const std::vector<block_digest>& wanted,
                     const std::vector<std::size_t>& places,
                     extent_work& work) {
  const auto donor = work.length == extent_bytes
                         ? lookup.find_extent(work.digest)
                         : std::nullopt;
  if (!donor) {
    return;
  }
  aligned_buffer bytes = aligned_buffer::uncleared(work.length);
  if (lookup.read_donor(donor->donor, donor->offset, bytes.span())) {
    const byte_span read = bytes.span();
    for (std::size_t i = 0; i < places.size(); ++i) {
      take_block(block_of(read, places[i]), wanted[i], places[i], work);
    }
  }
}

/// Fills blocks from donors that have runs of them.
void take_from_donors(content_lookup& lookup,
                      const std::vector<block_digest>& wanted,
                      const std::vector<std::size_t>& places,
                      extent_work& work) {
  aligned_buffer donor_bytes = aligned_buffer::uncleared(extent_bytes);
  for (const donor_run& run : lookup.find_blocks(wanted)) {
    if (run.first >= wanted.size() || run.count > wanted.size() - run.first) {
      continue;
    }
    const auto read = donor_bytes.span().first(run.count * block_bytes);
    if (!lookup.read_donor(run.donor, run.offset, read)) {
      continue;
    }
    for (std::size_t i = 0; i < run.count; ++i) {
      take_block(block_of(std::span<const std::byte>(read), i),
                 wanted[run.first + i],
                 places[run.first + i],
                 work);
    }
  }
}

/// Fills what the disk itself held elsewhere, before it was overwritten.
void take_from_before(const before_images& before,
                      const std::vector<block_digest>& wanted,
                      const std::vector<std::size_t>& places,
                      extent_work& work) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto to = block_of(work.bytes.span(), places[i]);
    if (!work.have.test(places[i]) && before.find(wanted[i], to) &&
        digest_block(to) == wanted[i]) {
      work.have.set(places[i]);
      work.counts.donors += to.size();
    }
  }
}

/// Puts into `work.bytes` what the digests find in place and in donors.
///
/// @param present  as of keep_before()
/// @return blocks that donors hold
block_mask put_together(const target_disk& target,
                        content_lookup& lookup,
                        const block_digests_record& record,
                        const aligned_buffer& present,
                        extent_work& work) {
  work.bytes = aligned_buffer(work.length);
  std::vector<block_digest> wanted;
  std::vector<std::size_t> places;
  auto digest = record.digests.begin();
  for (std::size_t i = 0; i < blocks_in(work.length); ++i) {
    const auto to = block_of(work.bytes.span(), i);
    if (record.zero.test(i)) {
      work.have.set(i);
      work.counts.zero += to.size();
      if (present.empty() || is_zero(block_of(present.span(), i))) {
        work.in_place.set(i);
      }
      continue;
    }
    if (!present.empty() &&
        digest_block(block_of(present.span(), i)) == *digest) {
      copy_bytes(block_of(present.span(), i), to);
      work.have.set(i);
      work.in_place.set(i);
      work.counts.in_place += to.size();
    } else {
      wanted.push_back(*digest);
      places.push_back(i);
    }
    ++digest;
  }
  if (wanted.empty()) {
    return {};
  }
  const block_mask had = work.have;
  take_from_whole(lookup, wanted, places, work);
  if (work.have != block_mask::first(blocks_in(work.length))) {
    take_from_donors(lookup, wanted, places, work);
  }
  const block_mask donated = work.have - had;
  if (target.before != nullptr) {
    take_from_before(*target.before, wanted, places, work);
  }
  return donated;
}

/// Puts together again what assemble() did once, and whose bytes were not kept.
///
/// @return false when what was found then is not found again
result<bool> put_together_again(const target_disk& target,
                                content_lookup& lookup,
                                extent_work& work) {
  const auto present = read_present(target, work);
  if (!present) {
    return present.error();
  }
  const block_mask had = std::exchange(work.have, block_mask());
  const rebuild_counts counted = work.counts;
  work.in_place = {};
  put_together(target, lookup, *work.digests, *present, work);
  work.is_dropped = false;
  work.counts = counted;
  const bool found = (had - work.have).none();
  work.have = had;  // of what is found only now, the data is here
  return found;
}

/// Notes how many blocks of a proven extent are not what their digests said.
void count_untrue(extent_work& work) {
  if (!work.digests) {
    return;
  }
  auto digest = work.digests->digests.begin();
  for (std::size_t i = 0; i < blocks_in(work.length); ++i) {
    if (!work.digests->zero.test(i)) {
      const byte_span block = block_of(byte_span(work.bytes.span()), i);
      work.untrue += digest_block(block) == *digest ? 0U : 1U;
      ++digest;
    }
  }
}

}  // namespace

result<step_result> examine(const target_disk& target,
                            const std::optional<extent_digest>& digest,
                            extent_work& work) {
  work.length = extent_length(target.device->size(), work.place.extent);
  const auto present = read_present(target, work);
  if (!present) {
    return present.error();
  }
  if (!digest) {
    return examine_zero(target, *present, work);
  }
  work.digest = *digest;
  // Zeros are announced as such.
  if (!present->empty() && !is_zero(present->span()) &&
      digest_extent(present->span()) == *digest) {
    work.counts.in_place = work.length;
    return step_result::proven;
  }
  return step_result::wants_digests;
}

result<step_result> assemble(const target_disk& target,
                             content_lookup& lookup,
                             block_digests_record record,
                             const assembly& how,
                             extent_work& work) {
  const std::size_t blocks = blocks_in(work.length);
  if (record.digests.size() + record.zero.count() != blocks ||
      !(record.zero - block_mask::first(blocks)).none()) {
    return error(errc::protocol,
                 fmt::format("{} digests for an extent of {} blocks",
                             record.digests.size(),
                             blocks));
  }
  const auto present = read_present(target, work);
  if (!present) {
    return present.error();
  }
  work.named = record.digests.size();
  const block_mask donated =
      put_together(target, lookup, record, *present, work);
  work.digests = std::move(record);
  const block_mask probed = how.probe.choose(work.place, donated);
  work.have = work.have - probed;
  work.counts.donors -= bytes_of(probed, work.length);
  if (work.have == block_mask::first(blocks)) {
    return prove(target, work, &*present);
  }
  if (work.counts.in_place == 0 && work.counts.donors == 0) {
    work.bytes = aligned_buffer();  // zeros need no memory while it waits
  } else if (!how.keep_bytes) {
    work.bytes = aligned_buffer();
    work.is_dropped = true;
  }
  return step_result::has_gaps;
}

result<step_result> fill(const target_disk& target,
                         content_lookup& lookup,
                         const block_data& data,
                         extent_work& work) {
  if (work.is_dropped) {
    const auto found = put_together_again(target, lookup, work);
    if (!found) {
      return found.error();
    }
    if (!*found) {
      return give_up(work);
    }
  } else if (work.bytes.empty()) {
    work.bytes = aligned_buffer(work.length);
  }
  // Blocks written since the announcement are in the data, too; they were
  // counted by their earlier origin.
  const block_mask counted = work.have;
  const auto applied = apply_data(data, work);
  if (!applied) {
    return applied.error();
  }
  if (work.have != block_mask::first(blocks_in(work.length))) {
    return error(errc::protocol, "data without all the blocks asked for");
  }
  const bool whole = work.counts.mismatches != 0;
  const extent_data_record& record = data.head;
  work.digest = record.digest;
  work.counts.link += bytes_of(record.data - counted, work.length);
  work.counts.zero += bytes_of(record.zero - counted, work.length);
  auto proof = prove(target, work);
  if (proof && *proof == step_result::proven) {
    count_untrue(work);
  }
  if (whole && proof && *proof == step_result::mismatch) {
    return error(errc::protocol,
                 fmt::format("extent {} of disk {} was sent whole and is not "
                             "what its digest says",
                             record.place.extent,
                             record.place.disk));
  }
  return proof;
}

result<step_result> overlay(const target_disk& target,
                            const block_data& data,
                            extent_work& work) {
  work.length = extent_length(target.device->size(), work.place.extent);
  const target_disk written{target.device};
  auto present = read_present(written, work);
  if (!present) {
    return present.error();
  }
  work.bytes = aligned_buffer::uncleared(work.length);
  copy_bytes(present->span(), work.bytes.span());
  const auto applied = apply_data(data, work);
  if (!applied) {
    return applied.error();
  }
  work.in_place = same_blocks(work.bytes.span(), *present);
  work.digest = data.head.digest;
  work.counts.link = data.raw.size();
  return prove(written, work);
}

}  // namespace teleport
