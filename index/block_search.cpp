// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/block_search.hpp"

#include <algorithm>

#include "index/lead_window.hpp"

namespace teleport::index {

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
    const result<bool> moved = reader_.advance(*at);
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

result<std::optional<position>> block_search::longest(
    std::span<const position> leads, std::span<const block_digest> wanted) {
  std::optional<position> best;
  if (leads.size() == 1) {
    best = leads.front();
    return best;
  }
  std::size_t best_length = 0;
  for (const position& start : leads) {
    std::optional<position> end = start;
    const result<std::size_t> length = follow(end, wanted, nullptr, 0);
    if (!length) {
      return length.error();
    }
    if (*length > best_length) {
      best_length = *length;
      best = start;
    }
  }
  return best;
}

result<std::vector<donor_run>> block_search::find_blocks(
    std::span<const block_digest> wanted) {
  std::vector<donor_run> runs;
  lead_window window(tables_, txn_, reader_, wanted);
  std::optional<position> trail;
  std::size_t i = 0;
  while (i < wanted.size()) {
    if (!trail || trail->digest() != wanted[i]) {
      const result<std::span<const position>> leads = window.at(i);
      if (!leads) {
        return leads.error();
      }
      if (leads->empty()) {
        // A gap. The run may go on behind it: perhaps only this block was
        // changed.
        const result<bool> moved = trail ? reader_.advance(*trail) : false;
        if (!moved) {
          return moved.error();
        }
        if (!*moved) {
          trail.reset();
        }
        ++i;
        continue;
      }
      const auto start = longest(*leads, wanted.subspan(i));
      if (!start) {
        return start.error();
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
    const disk_record* disk = reader_.disks().owner(slot);
    if (disk == nullptr ||
        extent_length(disk->size, slot - disk->base) != extent_bytes) {
      continue;
    }
    const result<const group_view*> found = reader_.group(slot / group_extents);
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
