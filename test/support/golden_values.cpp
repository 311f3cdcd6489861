// SPDX-License-Identifier: LGPL-2.1-or-later

#include <algorithm>
#include <array>
#include <utility>

#include "index/bucket_view.hpp"
#include "index/format.hpp"
#include "test/support/golden_records.hpp"

namespace teleport::test {

namespace {

using namespace index;

template <class Value>
std::optional<byte_buffer> coded(const std::optional<Value>& value) {
  return value ? std::optional(encode(*value)) : std::nullopt;
}

unique_id some_id(unsigned first) {
  unique_id id;
  for (std::byte& one : id.bytes) {
    one = static_cast<std::byte>(first++);
  }
  return id;
}

disk_record some_disk() {
  disk_record disk;
  disk.id = 7;
  disk.base = 64;
  disk.complete = true;
  disk.by_itself = true;
  disk.size = 40_MiB + 512;
  disk.scanned_at = 1'700'000'000;
  disk.changed_at = 1'700'000'000'000'000'001;
  disk.data_blocks = 300;
  disk.zero_blocks = 9000;
  disk.path = "/dev/vg0/web1";
  disk.identity = "dm:LVM-abc";
  disk.epoch = 3;
  disk.group_sum = 0x0102030405060708;
  disk.tracker = some_id(16);
  return disk;
}

constexpr std::uint32_t group_number = 2;
/// A bucket lies under its highest tag.
constexpr tag bucket_number = max_tag;

/// Extent 0 is zero, 1 and 31 have data, the others are unknown.
byte_buffer some_group() {
  group_builder group;
  group.add_zero(0);
  for (const unsigned extent : {1U, 31U}) {
    extent_content content;
    for (std::size_t i = 0; i < content.sha.size(); ++i) {
      content.sha.at(i) = static_cast<std::byte>(extent + i);
    }
    content.blocks = {{0b1011, 0, 0, 1ULL << 63U}};
    content.count = 4;
    for (unsigned i = 0; i < content.count; ++i) {
      content.digests.at(i) =
          block_digest{0x1122334455667700} + extent * 16U + i;
    }
    group.add(extent, content);
  }
  return group.encode(group_number);
}

std::optional<byte_buffer> recode_group(byte_span value) {
  const auto group = group_view::parse(value);
  if (!group || !group->intact(group_number)) {
    return std::nullopt;
  }
  group_builder again;
  for (unsigned extent = 0; extent < group_extents; ++extent) {
    const auto found = group->extent(extent);
    if (!found) {
      if (group->known(extent)) {
        again.add_zero(extent);
      }
      continue;
    }
    extent_content content;
    std::copy(found->sha.begin(), found->sha.end(), content.sha.begin());
    content.blocks = found->blocks;
    content.count = found->count;
    for (std::uint32_t i = 0; i < found->count; ++i) {
      content.digests.at(i) = group->digest(found->first + i);
    }
    again.add(extent, content);
  }
  return again.encode(group_number);
}

std::vector<tag_place> some_pairs() {
  std::vector<tag_place> pairs;
  for (tag key = 1; key < 200; ++key) {
    pairs.push_back({key * key * 1000 + (key << 20U),
                     make_place(static_cast<slot_number>(key * 3),
                                static_cast<unsigned>(key % 256))});
  }
  return pairs;
}

std::optional<byte_buffer> recode_bucket(byte_span value) {
  const auto bucket = bucket_view::parse(value);
  const auto pairs =
      bucket ? bucket->intact_pairs(bucket_number) : std::nullopt;
  return pairs ? std::optional(encode_bucket(bucket_number, *pairs))
               : std::nullopt;
}

}  // namespace

std::vector<golden_value> golden_values() {
  return {
      {"state",
       encode(state_record{format_version, 8, 41, some_id(1)}),
       [](byte_span value) { return coded(decode_state(value)); }},
      {"disk",
       encode(some_disk()),
       [](byte_span value) { return coded(decode_disk(7, value)); }},
      {"group", some_group(), recode_group},
      {"bucket", encode_bucket(bucket_number, some_pairs()), recode_bucket},
  };
}

std::string index_folder() {
  return "test/golden/index/v" + std::to_string(format_version);
}

}  // namespace teleport::test
