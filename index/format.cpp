// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/format.hpp"

#include <algorithm>
#include <utility>

namespace teleport::index {

namespace {

constexpr std::size_t group_header = 16;
constexpr std::size_t extent_record = 72;
constexpr std::size_t sha_bytes = 32;
constexpr std::size_t max_path = 4096;
constexpr std::uint8_t flag_complete = 1;
constexpr std::uint8_t flag_by_itself = 2;
constexpr std::size_t max_identity = 512;
constexpr std::uint64_t slots_in_all = std::uint64_t{1} << 32U;

}  // namespace

std::uint32_t checksum(byte_span key, byte_span bytes) {
  constexpr std::uint64_t odd = 0x9E3779B97F4A7C15U;
  std::uint64_t sum = bytes.size() + digest_block(key);
  while (!bytes.empty()) {
    const std::size_t n = std::min(bytes.size(), block_bytes);
    sum = sum * odd + digest_block(bytes.first(n));
    bytes = bytes.subspan(n);
  }
  return static_cast<std::uint32_t>(sum);
}

namespace {

template <std::size_t Bytes>
std::array<std::byte, Bytes> to_big_endian(std::uint64_t number) {
  std::array<std::byte, Bytes> key{};
  for (std::size_t i = Bytes; i-- > 0; number >>= 8U) {
    key[i] = static_cast<std::byte>(number & 0xffU);
  }
  return key;
}

std::optional<std::uint64_t> from_big_endian(byte_span key, std::size_t bytes) {
  if (key.size() != bytes) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  for (const std::byte one : key) {
    number = number << 8U | std::to_integer<std::uint64_t>(one);
  }
  return number;
}

}  // namespace

std::array<std::byte, 4> big_endian_key(std::uint32_t number) {
  return to_big_endian<4>(number);
}

std::optional<std::uint32_t> key_number(byte_span key) {
  const auto number = from_big_endian(key, 4);
  return number ? std::optional(static_cast<std::uint32_t>(*number))
                : std::nullopt;
}

std::array<std::byte, 5> bucket_key(tag highest) {
  return to_big_endian<5>(highest);
}

std::optional<tag> bucket_tag(byte_span key) {
  const auto number = from_big_endian(key, 5);
  return number && *number <= max_tag ? number : std::nullopt;
}

byte_buffer encode(const state_record& state) {
  byte_writer out;
  out.number(state.version);
  out.number(state.next_disk);
  out.number(state.generation);
  write_id(out, state.instance);
  return std::move(out).take();
}

std::optional<state_record> decode_state(byte_span value) {
  byte_reader in(value);
  state_record state;
  state.version = in.number<std::uint32_t>();
  state.next_disk = in.number<std::uint32_t>();
  state.generation = in.number<std::uint64_t>();
  if (!in.ok()) {
    return std::nullopt;
  }
  if (state.version != format_version) {
    return state;  // the rest is that version's
  }
  state.instance = read_id(in);
  return in.ok() && state.instance.is_set() ? std::optional(state)
                                            : std::nullopt;
}

byte_buffer encode(const disk_record& disk) {
  byte_writer out;
  out.number(disk.base);
  out.number(static_cast<std::uint8_t>((disk.complete ? flag_complete : 0U) |
                                       (disk.by_itself ? flag_by_itself : 0U)));
  out.number(disk.size);
  out.number(disk.scanned_at);
  out.number(disk.changed_at);
  out.number(disk.data_blocks);
  out.number(disk.zero_blocks);
  out.counted(as_bytes(disk.path));
  out.counted(as_bytes(disk.identity));
  out.number(disk.epoch);
  out.number(disk.group_sum);
  write_id(out, disk.tracker);
  return std::move(out).take();
}

std::optional<disk_record> decode_disk(std::uint32_t id, byte_span value) {
  byte_reader in(value);
  disk_record disk;
  disk.id = id;
  disk.base = in.number<std::uint32_t>();
  const auto flags = in.number<std::uint8_t>();
  disk.complete = (flags & flag_complete) != 0;
  disk.by_itself = (flags & flag_by_itself) != 0;
  disk.size = in.number<std::uint64_t>();
  disk.scanned_at = in.number<std::uint64_t>();
  disk.changed_at = in.number<std::uint64_t>();
  disk.data_blocks = in.number<std::uint64_t>();
  disk.zero_blocks = in.number<std::uint64_t>();
  disk.path = as_text(in.counted(max_path));
  disk.identity = as_text(in.counted(max_identity));
  disk.epoch = in.number<std::uint64_t>();
  disk.group_sum = in.number<std::uint64_t>();
  disk.tracker = read_id(in);
  if (!in.done() || disk.size == 0 || disk.size > max_disk_bytes ||
      disk.size % sector_bytes != 0 || disk.base % group_extents != 0 ||
      disk.end_slot() > slots_in_all || !disk.path.starts_with('/')) {
    return std::nullopt;
  }
  return disk;
}

std::uint64_t sum_of_groups(std::span<const std::uint32_t> numbers) {
  std::uint64_t sum = numbers.size();
  for (const std::uint32_t number : numbers) {
    sum += digest_block(big_endian_key(number));
  }
  return sum;
}

std::uint32_t extent_view::rank(unsigned block) const noexcept {
  int count_before = 0;
  for (unsigned word = 0; word < block / 64; ++word) {
    count_before += std::popcount(blocks.words[word]);
  }
  const std::uint64_t below = (std::uint64_t{1} << (block % 64)) - 1;
  count_before += std::popcount(blocks.words[block / 64] & below);
  return static_cast<std::uint32_t>(count_before);
}

unsigned extent_view::next(unsigned from) const noexcept {
  while (from < extent_blocks) {
    const std::uint64_t rest = blocks.words[from / 64] >> (from % 64);
    if (rest != 0) {
      return from + static_cast<unsigned>(std::countr_zero(rest));
    }
    from = (from / 64 + 1) * 64;
  }
  return extent_blocks;
}

std::optional<group_view> group_view::parse(byte_span value) {
  if (value.size() < group_header) {
    return std::nullopt;
  }
  group_view view;
  view.value_ = value;
  view.known_ = peek<std::uint32_t>(value, 4);
  view.data_ = peek<std::uint32_t>(value, 8);
  const std::uint64_t count = peek<std::uint32_t>(value, 12);
  const std::uint64_t records =
      extent_record * static_cast<std::uint64_t>(std::popcount(view.data_));
  if ((view.data_ & ~view.known_) != 0 ||
      value.size() != group_header + records + 8 * count) {
    return std::nullopt;
  }
  view.digests_ = value.subspan(group_header + records);
  return view;
}

bool group_view::intact(std::uint32_t number) const {
  return checksum(big_endian_key(number), value_.subspan(4)) ==
         peek<std::uint32_t>(value_, 0);
}

void group_view::prefetch(byte_span value, unsigned extent) noexcept {
  const std::size_t record = group_header + extent * extent_record;
  __builtin_prefetch(value.data());
  if (record + extent_record <= value.size()) {
    __builtin_prefetch(value.data() + record + sha_bytes);
    __builtin_prefetch(value.data() + record + extent_record - 1);
  }
}

std::optional<extent_view> group_view::extent(unsigned extent) const {
  if (extent >= group_extents || (data_ >> extent & 1U) == 0) {
    return std::nullopt;
  }
  const std::uint32_t below = (std::uint32_t{1} << extent) - 1;
  const auto number = static_cast<std::size_t>(std::popcount(data_ & below));
  const byte_span record =
      value_.subspan(group_header + number * extent_record, extent_record);
  extent_view view;
  view.sha = record.first(sha_bytes);
  for (std::size_t i = 0; i < view.blocks.words.size(); ++i) {
    view.blocks.words[i] = peek<std::uint64_t>(record, sha_bytes + 8 * i);
  }
  view.first = peek<std::uint32_t>(record, 2 * sha_bytes);
  view.count = static_cast<std::uint32_t>(view.blocks.count());
  if (view.first > digests() || view.count > digests() - view.first) {
    return std::nullopt;
  }
  return view;
}

unsigned group_view::next_data(unsigned from) const noexcept {
  const std::uint32_t rest = from < group_extents ? data_ >> from : 0;
  return rest == 0 ? group_extents
                   : from + static_cast<unsigned>(std::countr_zero(rest));
}

void group_builder::add(unsigned extent, const extent_content& content) {
  known_ |= 1U << extent;
  if (content.count == 0) {
    return;
  }
  data_ |= 1U << extent;
  records_.bytes(content.sha);
  for (const std::uint64_t word : content.blocks.words) {
    records_.number(word);
  }
  records_.number(count_);
  records_.number(std::uint32_t{0});
  for (std::uint32_t i = 0; i < content.count; ++i) {
    digests_.number(content.digests[i]);
  }
  count_ += content.count;
}

void group_builder::keep(unsigned extent, const group_view& group) {
  const auto kept = group.extent(extent);
  if (!kept) {
    if (group.known(extent) && !group.has_data(extent)) {
      add_zero(extent);
    }
    return;
  }
  extent_content content;
  std::ranges::copy(kept->sha, content.sha.begin());
  content.blocks = kept->blocks;
  content.count = kept->count;
  for (std::uint32_t i = 0; i < kept->count; ++i) {
    content.digests[i] = group.digest(kept->first + i);
  }
  add(extent, content);
}

bool group_builder::all_known(unsigned extents) const noexcept {
  return std::countr_one(known_) >= static_cast<int>(extents);
}

byte_buffer group_builder::encode(std::uint32_t number) const {
  byte_writer out;
  out.number(std::uint32_t{0});
  out.number(known_);
  out.number(data_);
  out.number(count_);
  byte_writer records = records_;
  out.bytes(std::move(records).take());
  byte_writer digests = digests_;
  out.bytes(std::move(digests).take());
  byte_buffer value = std::move(out).take();
  store_le(checksum(big_endian_key(number), byte_span(value).subspan(4)),
           std::span(value).first(4));
  return value;
}

}  // namespace teleport::index
