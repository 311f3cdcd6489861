// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/xen-tools/index_lie.cpp: makes an index lie, for the scenario "hostile
// donor": swaps the digests of two blocks of an indexed disk, so that a look-up
// of block A's content is led to block B's place and the other way round. The
// disk itself is not touched.
//
//   index-lie INDEX_DIR DISK_PATH BLOCK_A BLOCK_B     blocks are 4 KiB, from 0
//
// Exit status: 0 the lie is planted, 1 failed, 2 wrong usage.

#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "index/store.hpp"

namespace teleport::index {
namespace {

/// One block's place: the group's value and where the digest lies in it.
struct found_block {
  std::uint32_t group = 0;
  std::size_t at = 0;
  block_digest digest = 0;
};

std::optional<found_block> find(store& tables,
                                const disk_record& disk,
                                std::uint64_t block,
                                std::map<std::uint32_t, byte_buffer>& groups) {
  const std::uint64_t slot = disk.base + block / extent_blocks;
  const auto in_extent = static_cast<unsigned>(block % extent_blocks);
  found_block found;
  found.group = static_cast<std::uint32_t>(slot / group_extents);
  if (block >= disk.size / block_bytes) {
    return std::nullopt;
  }
  if (!groups.contains(found.group)) {
    auto value = tables.group(found.group);
    if (!value || !*value) {
      return std::nullopt;
    }
    groups[found.group] = **value;
  }
  const byte_buffer& value = groups[found.group];
  const auto view = group_view::parse(value);
  const auto extent =
      view ? view->extent(static_cast<unsigned>(slot % group_extents))
           : std::nullopt;
  if (!extent || !extent->has(in_extent)) {
    return std::nullopt;
  }
  const std::uint32_t number = extent->first + extent->rank(in_extent);
  found.digest = view->digest(number);
  found.at = value.size() - 8 * std::size_t{view->digests() - number};
  return found;
}

int lie(const std::string& folder,
        const std::string& path,
        std::uint64_t a,
        std::uint64_t b) {
  store_options options;
  options.writable = true;
  auto opened = store::open(folder, options);
  if (!opened) {
    std::cerr << "index-lie: " << opened.error().context << '\n';
    return 1;
  }
  store& tables = **opened;
  const auto disks = tables.disks();
  const disk_record* disk = disks ? disks->by_path(path) : nullptr;
  if (disk == nullptr) {
    std::cerr << "index-lie: " << path << " is not indexed\n";
    return 1;
  }
  std::map<std::uint32_t, byte_buffer> groups;
  const auto first = find(tables, *disk, a, groups);
  const auto second = find(tables, *disk, b, groups);
  if (!first || !second || first->digest == second->digest) {
    std::cerr << "index-lie: both blocks must be scanned, not zero, and "
                 "different\n";
    return 1;
  }
  const auto before = groups;
  store_le(second->digest, std::span(groups[first->group]).subspan(first->at));
  store_le(first->digest, std::span(groups[second->group]).subspan(second->at));
  changes batch;
  for (auto& [number, value] : groups) {
    store_le(checksum(byte_span(value).subspan(4)), std::span(value).first(4));
    batch.replace_group(*disk, number, before.at(number), value);
  }
  const auto done = tables.apply(batch);
  if (!done) {
    std::cerr << "index-lie: " << done.error().context << '\n';
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace teleport::index

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: index-lie INDEX_DIR DISK_PATH BLOCK_A BLOCK_B\n";
    return 2;
  }
  char* end_a = nullptr;
  char* end_b = nullptr;
  const auto a = std::strtoull(argv[3], &end_a, 10);
  const auto b = std::strtoull(argv[4], &end_b, 10);
  if (*end_a != '\0' || *end_b != '\0') {
    std::cerr << "index-lie: blocks are numbers\n";
    return 2;
  }
  return teleport::index::lie(argv[1], argv[2], a, b);
}
