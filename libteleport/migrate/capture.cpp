// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/capture.hpp"

#include <algorithm>
#include <utility>

#include "libteleport/migrate/extent_view.hpp"
#include "libteleport/wire/codec.hpp"

namespace teleport {

result<captured_extent> capture(block_device& disk, const extent_place& place) {
  captured_extent extent;
  extent.place = place;
  extent.length = extent_length(disk.size(), place.extent);
  extent.bytes = aligned_buffer(extent.length);
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

block_digests_record digests_of(const captured_extent& extent) {
  block_digests_record record;
  record.place = extent.place;
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

extent_data_record data_of(const captured_extent& extent,
                           const block_mask& chosen,
                           int level) {
  extent_data_record record;
  record.place = extent.place;
  const std::size_t blocks = blocks_in(extent.length);
  if (extent.zero) {
    record.zero = block_mask::first(blocks);
    const byte_buffer zeros(extent.length);
    record.digest = digest_extent(zeros);
    return record;
  }
  record.digest = extent.digest;
  const byte_span bytes = extent.bytes.span();
  byte_buffer raw;
  raw.reserve(bytes_of(chosen, bytes.size()));
  for (std::size_t i = 0; i < blocks; ++i) {
    if (!chosen.test(i)) {
      continue;
    }
    const byte_span block = block_of(bytes, i);
    if (is_zero(block)) {
      record.zero.set(i);
    } else {
      record.data.set(i);
      raw.insert(raw.end(), block.begin(), block.end());
    }
  }
  record.raw_bytes = static_cast<std::uint32_t>(raw.size());
  packed coded = pack(raw, level);
  record.compressed = coded.compressed;
  record.payload = std::move(coded.bytes);
  return record;
}

}  // namespace teleport
