// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/block_search.hpp"

#include <algorithm>

namespace teleport::index {

std::uint64_t block_search::position::offset() const noexcept {
  return std::uint64_t{slot - disk->base} * extent_bytes +
         std::uint64_t{block} * block_bytes;
}

bool block_search::position::whole() const noexcept {
  return offset() + block_bytes <= disk->size;
}

/// @return nullptr when there is none; valid until the next call
result<const group_view*> block_search::group(std::uint32_t number) {
  cached_group& cached = cache_[number % cache_.size()];
  if (!cached.filled || cached.number != number) {
    const auto value = txn_.get(tables_.groups(), big_endian_key(number));
    if (!value) {
      return value.error();
    }
    cached.number = number;
    cached.filled = true;
    cached.view = *value ? group_view::parse(**value) : std::nullopt;
  }
  return cached.view ? &*cached.view : nullptr;
}

result<std::optional<block_search::position>> block_search::go_to(place at) {
  std::optional<position> nowhere;
  position here;
  here.slot = slot_of(at);
  here.block = block_of(at);
  here.disk = disks_.owner(here.slot);
  if (here.disk == nullptr || !here.whole()) {
    return nowhere;
  }
  const result<const group_view*> found = group(here.slot / group_extents);
  if (!found) {
    return found.error();
  }
  if (*found == nullptr) {
    return nowhere;
  }
  here.group = **found;
  const auto extent = here.group.extent(here.slot % group_extents);
  if (!extent || !extent->has(here.block)) {
    return nowhere;
  }
  here.extent = *extent;
  here.number = extent->first + extent->rank(here.block);
  return std::optional<position>(here);
}

result<bool> block_search::advance(position& at) {
  const unsigned block = at.extent.next(at.block + 1);
  if (block < extent_blocks) {
    at.block = block;
    ++at.number;
    return at.whole();
  }
  slot_number group_number = at.slot / group_extents;
  unsigned extent = at.group.next_data(at.slot % group_extents + 1);
  if (extent == group_extents) {
    // One group further, no more: a long stretch of zeros ends the trail.
    ++group_number;
    const result<const group_view*> found = group(group_number);
    if (!found) {
      return found.error();
    }
    if (*found == nullptr) {
      return false;
    }
    at.group = **found;
    extent = at.group.next_data(0);
  }
  const auto view = at.group.extent(extent);
  at.slot = group_number * group_extents + extent;
  if (!view || view->count == 0 || !at.disk->owns(at.slot)) {
    return false;
  }
  at.extent = *view;
  at.block = view->next(0);
  at.number = view->first;
  return at.whole();
}

result<std::size_t> block_search::follow(std::optional<position>& at,
                                         std::span<const block_digest> wanted,
                                         std::vector<donor_run>* runs,
                                         std::size_t first) {
  std::size_t count = 0;
  std::uint64_t next_offset = 0;
  while (count < wanted.size() && at->digest() == wanted[count]) {
    if (runs != nullptr) {
      const std::uint64_t offset = at->offset();
      if (count != 0 && offset == next_offset) {
        ++runs->back().count;
      } else {
        runs->push_back({first + count, 1, at->disk->id, offset});
      }
      next_offset = offset + block_bytes;
    }
    ++count;
    const result<bool> moved = advance(*at);
    if (!moved) {
      return moved.error();
    }
    if (!*moved) {
      at.reset();
      break;
    }
  }
  return count;
}

/// Of the places where the first of `wanted` lies, the one from which most of
/// them follow.
result<std::optional<block_search::position>> block_search::longest(
    lmdb_cursor& buckets, std::span<const block_digest> wanted) {
  std::optional<position> best;
  const tag key = tag_of(wanted.front());
  const result<bool> found = buckets.seek(big_endian_key(key));
  if (!found) {
    return found.error();
  }
  const auto bucket =
      *found ? bucket_view::parse(buckets.value()) : std::nullopt;
  if (!bucket) {
    return best;
  }
  std::array<place, max_places> places{};
  const std::size_t count = bucket->find(key, places);
  std::size_t best_length = 0;
  for (std::size_t i = 0; i < count; ++i) {
    result<std::optional<position>> start = go_to(places[i]);
    if (!start) {
      return start.error();
    }
    if (!*start || (*start)->digest() != wanted.front()) {
      continue;
    }
    if (count == 1) {
      return start;
    }
    std::optional<position> end = *start;
    const result<std::size_t> length = follow(end, wanted, nullptr, 0);
    if (!length) {
      return length.error();
    }
    if (*length > best_length) {
      best_length = *length;
      best = *start;
    }
  }
  return best;
}

result<std::vector<donor_run>> block_search::find_blocks(
    std::span<const block_digest> wanted) {
  std::vector<donor_run> runs;
  result<lmdb_cursor> buckets = txn_.cursor(tables_.buckets());
  if (!buckets) {
    return buckets.error();
  }
  std::optional<position> trail;
  std::size_t i = 0;
  while (i < wanted.size()) {
    if (!trail || trail->digest() != wanted[i]) {
      result<std::optional<position>> start =
          longest(*buckets, wanted.subspan(i));
      if (!start) {
        return start.error();
      }
      if (!*start) {
        // A gap. Perhaps this one block was changed here or there.
        const result<bool> moved = trail ? advance(*trail) : false;
        if (!moved) {
          return moved.error();
        }
        if (!*moved) {
          trail.reset();
        }
        ++i;
        continue;
      }
      trail = *start;
    }
    const result<std::size_t> length =
        follow(trail, wanted.subspan(i), &runs, i);
    if (!length) {
      return length.error();
    }
    i += *length;
  }
  return runs;
}

result<std::optional<donor_extent>> block_search::find_extent(
    const extent_digest& wanted) {
  std::optional<donor_extent> nowhere;
  const auto value = txn_.get(tables_.extents(), byte_span(wanted).first(8));
  if (!value) {
    return value.error();
  }
  for (std::size_t at = 0;
       *value && at + 4 <= (*value)->size() && at < 4 * max_places;
       at += 4) {
    const auto slot = peek<std::uint32_t>(**value, at);
    const disk_record* disk = disks_.owner(slot);
    if (disk == nullptr ||
        extent_length(disk->size, slot - disk->base) != extent_bytes) {
      continue;
    }
    const result<const group_view*> found = group(slot / group_extents);
    if (!found) {
      return found.error();
    }
    const auto extent =
        *found ? (*found)->extent(slot % group_extents) : std::nullopt;
    if (extent &&
        std::equal(wanted.begin(), wanted.end(), extent->sha.begin())) {
      return std::optional<donor_extent>(donor_extent{
          disk->id, std::uint64_t{slot - disk->base} * extent_bytes});
    }
  }
  return nowhere;
}

}  // namespace teleport::index
