// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/bench/synthetic.hpp"

#include <algorithm>

namespace teleport::bench {

namespace {

result<index::disk_record> disk_number(index::store& tables,
                                       std::uint64_t number) {
  const std::string path = "/synthetic/" + std::to_string(number);
  const result<index::disk_table> all = tables.disks();
  if (!all) {
    return all.error();
  }
  if (const index::disk_record* known = all->by_path(path)) {
    return *known;
  }
  index::disk_record record;
  record.path = path;
  record.identity = "synthetic " + std::to_string(number);
  record.size = disk_blocks * block_bytes;
  return tables.add_disk(std::move(record));
}

void fill_extent(std::uint64_t first_block, index::extent_content& out) {
  out.count = extent_blocks;
  out.blocks = block_mask::first(extent_blocks);
  for (std::size_t i = 0; i < extent_blocks; ++i) {
    out.digests[i] = digest_of_block(first_block + i);
  }
  for (std::size_t i = 0; i < out.sha.size(); i += 8) {
    store_le(out.digests[i], std::span(out.sha).subspan(i));
  }
}

}  // namespace

result<void> fill(index::store& tables,
                  std::uint64_t from,
                  std::uint64_t to,
                  std::size_t batch_bytes) {
  constexpr std::uint64_t group_blocks = index::group_extents * extent_blocks;
  index::extent_content content;
  index::changes batch;
  index::disk_record disk;
  for (std::uint64_t at = from; at < to;) {
    if (disk.id == 0 || at % disk_blocks == 0) {
      result<index::disk_record> next = disk_number(tables, at / disk_blocks);
      if (!next) {
        return next.error();
      }
      disk = *next;
    }
    const std::uint64_t end =
        std::min({at + group_blocks, to, (at / disk_blocks + 1) * disk_blocks});
    const std::uint64_t in_disk = at % disk_blocks / extent_blocks;
    index::group_builder builder;
    for (unsigned e = 0; at < end; ++e, at += extent_blocks) {
      fill_extent(at, content);
      builder.add(e, content);
    }
    const auto number = static_cast<std::uint32_t>((disk.base + in_disk) /
                                                   index::group_extents);
    batch.replace_group(disk, number, std::nullopt, builder.encode(number));
    if (batch.bytes() >= batch_bytes) {
      result<void> done = tables.apply(batch);
      if (!done) {
        return done;
      }
    }
  }
  result<void> done = tables.apply(batch);
  return done ? tables.sync() : done;
}

}  // namespace teleport::bench
