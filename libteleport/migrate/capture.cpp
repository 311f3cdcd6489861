// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/capture.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

#include "libteleport/migrate/extent_view.hpp"

namespace teleport {

result<captured_extent> capture(block_device& disk, const extent_place& place) {
  captured_extent extent;
  extent.place = place;
  extent.length = extent_length(disk.size(), place.extent);
  extent.bytes = aligned_buffer::uncleared(extent.length);
  const auto read =
      disk.read_at(place.extent * extent_bytes, extent.bytes.span());
  if (!read) {
    return read.error();
  }
  if (is_zero(extent.bytes.span())) {
    extent.zero = true;
    extent.bytes = aligned_buffer();
  } else {
    extent.digest = digest_extent(extent.bytes.span());
  }
  return extent;
}

std::optional<captured_extent> recall(std::uint64_t disk_bytes,
                                      const extent_place& place,
                                      known_extent known) {
  captured_extent extent;
  extent.place = place;
  extent.length = extent_length(disk_bytes, place.extent);
  extent.zero = known.zero;
  if (known.zero) {
    return extent;
  }
  const std::size_t blocks = blocks_in(extent.length);
  if (known.blocks.size() + known.zero_blocks.count() != blocks ||
      !(known.zero_blocks - block_mask::first(blocks)).none()) {
    return std::nullopt;
  }
  extent.digest = known.digest;
  extent.zero_blocks = known.zero_blocks;
  extent.blocks = std::move(known.blocks);
  return extent;
}

result<captured_extent> read_blocks(block_device& disk,
                                    const captured_extent& recalled,
                                    const block_mask& chosen) {
  captured_extent extent;
  extent.place = recalled.place;
  extent.digest = recalled.digest;
  extent.length = recalled.length;
  extent.bytes = aligned_buffer(recalled.length);
  result<void> outcome;
  const auto inside = chosen & block_mask::first(blocks_in(extent.length));
  for_each_run(inside, [&](std::size_t first, std::size_t count) {
    if (outcome) {
      const std::size_t at = first * block_bytes;
      outcome = disk.read_at(
          extent.place.extent * extent_bytes + at,
          extent.bytes.span().subspan(
              at, std::min(count * block_bytes, extent.length - at)));
    }
  });
  if (!outcome) {
    return outcome.error();
  }
  return extent;
}

block_digests_record digests_of(const captured_extent& extent) {
  block_digests_record record;
  record.place = extent.place;
  if (extent.bytes.empty()) {
    record.zero = extent.zero_blocks;
    record.digests = extent.blocks;
    return record;
  }
  const byte_span bytes = extent.bytes.span();
  for (std::size_t i = 0; i < blocks_in(bytes.size()); ++i) {
    const byte_span block = block_of(bytes, i);
    if (is_zero(block)) {
      record.zero.set(i);
    } else {
      record.digests.push_back(digest_block(block));
    }
  }
  return record;
}

block_data data_of(const captured_extent& extent, const block_mask& chosen) {
  block_data out;
  extent_data_record& head = out.head;
  head.place = extent.place;
  const std::size_t blocks = blocks_in(extent.length);
  if (extent.zero) {
    head.zero = block_mask::first(blocks);
    const byte_buffer zeros(extent.length);
    head.digest = digest_extent(zeros);
    return out;
  }
  assert(!extent.bytes.empty());
  head.digest = extent.digest;
  const byte_span bytes = extent.bytes.span();
  out.raw.reserve(bytes_of(chosen, bytes.size()));
  for (std::size_t i = 0; i < blocks; ++i) {
    if (!chosen.test(i)) {
      continue;
    }
    const byte_span block = block_of(bytes, i);
    if (is_zero(block)) {
      head.zero.set(i);
    } else {
      head.data.set(i);
      out.raw.insert(out.raw.end(), block.begin(), block.end());
    }
  }
  head.raw_bytes = static_cast<std::uint32_t>(out.raw.size());
  return out;
}

void forget_bytes(captured_extent& extent) {
  if (!extent.bytes.empty()) {
    block_digests_record digests = digests_of(extent);
    extent.zero_blocks = digests.zero;
    extent.blocks = std::move(digests.digests);
    extent.bytes = aligned_buffer();
  }
}

}  // namespace teleport
