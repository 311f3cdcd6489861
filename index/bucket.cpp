// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/bucket.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace teleport::index {

namespace {

constexpr std::size_t header_bytes = 16;
/// So that any field can be loaded as eight bytes.
constexpr std::size_t padding_bytes = 8;

/// Bits of a field of `bytes` bytes, 0 to 8.
constexpr std::uint64_t field_mask(unsigned bytes) {
  return bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * bytes)) - 1;
}

constexpr unsigned bytes_for(std::uint64_t value) {
  return (static_cast<unsigned>(std::bit_width(value)) + 7) / 8;
}

struct widths {
  unsigned tag = 0;
  unsigned place = 1;
};

widths widths_for(std::span<const tag_place> pairs) {
  widths need;
  if (!pairs.empty()) {
    need.tag = bytes_for(pairs.back().key - pairs.front().key);
  }
  for (const tag_place& pair : pairs) {
    need.place = std::max(need.place, bytes_for(pair.at));
  }
  return need;
}

}  // namespace

std::optional<bucket_view> bucket_view::parse(byte_span value) {
  if (value.size() < header_bytes + padding_bytes) {
    return std::nullopt;
  }
  bucket_view view;
  view.value_ = value;
  view.base_ = peek<std::uint32_t>(value, 4);
  view.count_ = peek<std::uint32_t>(value, 8);
  view.tag_bytes_ = std::to_integer<unsigned>(value[12]);
  view.place_bytes_ = std::to_integer<unsigned>(value[13]);
  if (view.tag_bytes_ > 4 || view.place_bytes_ < 1 || view.place_bytes_ > 5) {
    return std::nullopt;
  }
  const std::uint64_t pair_bytes = view.tag_bytes_ + view.place_bytes_;
  if (value.size() != header_bytes + view.count_ * pair_bytes + padding_bytes) {
    return std::nullopt;
  }
  return view;
}

bool bucket_view::intact() const {
  if (checksum(value_.subspan(4)) != peek<std::uint32_t>(value_, 0)) {
    return false;
  }
  for (std::uint32_t i = 1; i < count_; ++i) {
    if (!(at(i - 1) < at(i))) {
      return false;
    }
  }
  return true;
}

std::uint64_t bucket_view::offset_at(std::uint32_t number) const noexcept {
  const std::size_t from =
      header_bytes + std::size_t{number} * (tag_bytes_ + place_bytes_);
  return peek<std::uint64_t>(value_, from) & field_mask(tag_bytes_);
}

tag_place bucket_view::at(std::uint32_t number) const noexcept {
  const std::size_t from =
      header_bytes + std::size_t{number} * (tag_bytes_ + place_bytes_);
  tag_place pair;
  pair.key = base_ + static_cast<tag>(offset_at(number));
  pair.at =
      peek<std::uint64_t>(value_, from + tag_bytes_) & field_mask(place_bytes_);
  return pair;
}

/// The first pair whose tag is at least base_ + offset.
std::uint32_t bucket_view::lower_bound(std::uint64_t offset) const {
  const std::uint64_t last = offset_at(count_ - 1);
  if (offset > last) {
    return count_;
  }
  // Where it would be were the tags spread evenly; then wider and wider steps
  // until it is enclosed, then halves.
  std::uint64_t low = offset * (count_ - 1) / std::max<std::uint64_t>(last, 1);
  std::uint64_t high = low;
  std::uint64_t step = 16;
  while (low > 0 && offset_at(static_cast<std::uint32_t>(low)) >= offset) {
    high = low;
    low -= std::min(step, low);
    step *= 2;
  }
  step = 16;
  while (high < count_ &&
         offset_at(static_cast<std::uint32_t>(high)) < offset) {
    low = high;
    high = std::min<std::uint64_t>(high + step, count_);
    step *= 2;
  }
  while (low < high) {
    const std::uint64_t middle = (low + high) / 2;
    if (offset_at(static_cast<std::uint32_t>(middle)) < offset) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return static_cast<std::uint32_t>(low);
}

std::size_t bucket_view::find(tag wanted, std::span<place> out) const {
  if (count_ == 0 || wanted < base_) {
    return 0;
  }
  const std::uint64_t offset = wanted - base_;
  std::size_t found = 0;
  for (std::uint32_t i = lower_bound(offset);
       i < count_ && found < out.size() && offset_at(i) == offset;
       ++i) {
    out[found++] = at(i).at;
  }
  return found;
}

std::size_t bucket_bytes(std::span<const tag_place> pairs) {
  const widths need = widths_for(pairs);
  return header_bytes + pairs.size() * (need.tag + need.place) + padding_bytes;
}

byte_buffer encode_bucket(std::span<const tag_place> pairs) {
  const widths need = widths_for(pairs);
  const std::size_t pair_bytes = need.tag + need.place;
  const tag base = pairs.empty() ? 0 : pairs.front().key;
  byte_buffer value(header_bytes + pairs.size() * pair_bytes + padding_bytes);
  const std::span<std::byte> all(value);
  store_le(base, all.subspan(4));
  store_le(static_cast<std::uint32_t>(pairs.size()), all.subspan(8));
  value[12] = static_cast<std::byte>(need.tag);
  value[13] = static_cast<std::byte>(need.place);
  std::size_t at = header_bytes;
  for (const tag_place& pair : pairs) {
    assert(pair.key >= base && pair.at <= max_place);
    // Eight bytes each; the next field, or the padding, overwrites the rest.
    store_le(std::uint64_t{pair.key - base}, all.subspan(at));
    at += need.tag;
    store_le(pair.at, all.subspan(at));
    at += need.place;
  }
  store_le(std::uint64_t{0}, all.subspan(at));
  store_le(checksum(byte_span(value).subspan(4)), all.first(4));
  return value;
}

}  // namespace teleport::index
