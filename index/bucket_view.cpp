// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/bucket_view.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace teleport::index {

namespace {

constexpr std::size_t header_bytes = 20;
/// Padding, so that any field can be loaded as eight bytes.
constexpr std::size_t padding_bytes = 8;
constexpr std::size_t cell_bytes = 2;
/// Pairs of a cell, about, at most: their tags fill a line of the CPU's cache.
constexpr std::uint64_t cell_pairs = 32;
/// Cells tell numbers of pairs in two bytes.
constexpr std::size_t max_pairs = 0xffff;

/// Bits of a field of `bytes` bytes, 0 to 8.
constexpr std::uint64_t field_mask(unsigned bytes) {
  return bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * bytes)) - 1;
}

constexpr unsigned bytes_for_bits(unsigned bits) {
  return (bits + 7) / 8;
}

/// How a bucket is laid out.
struct shape {
  unsigned shift = 0;  ///< bits of a tag inside its cell
  unsigned place_bytes = 1;
  std::uint64_t cells = 0;

  [[nodiscard]] std::size_t bytes(std::size_t pairs) const {
    return header_bytes + static_cast<std::size_t>(cells) * cell_bytes +
           pairs * (bytes_for_bits(shift) + place_bytes) + padding_bytes;
  }
};

/// Small cells need fewer bits a tag, but there are more of them. Chooses the
/// layout of the fewest bytes whose cells can be searched quickly.
shape shape_for(std::span<const tag_place> pairs) {
  shape best;
  if (pairs.empty()) {
    return best;
  }
  unsigned place_bits = 1;
  for (const tag_place& pair : pairs) {
    place_bits =
        std::max(place_bits, static_cast<unsigned>(std::bit_width(pair.at)));
  }
  best.place_bytes = bytes_for_bits(place_bits);
  const std::uint64_t span = pairs.back().key - pairs.front().key;
  const std::uint64_t width = cell_pairs * span / pairs.size();
  best.shift =
      width == 0 ? 0U : static_cast<unsigned>(std::bit_width(width)) - 1;
  // With few pairs a cell covers more tags than exist.
  best.shift = std::min(best.shift, tag_bits);
  best.cells = (span >> best.shift) + 1;
  for (unsigned shift = 8; shift < best.shift; shift += 8) {
    shape other = best;
    other.shift = shift;
    other.cells = (span >> shift) + 1;
    if (other.cells <= max_pairs &&
        other.bytes(pairs.size()) < best.bytes(pairs.size())) {
      best = other;
    }
  }
  return best;
}

void prefetch(byte_span bytes, std::size_t at) {
  __builtin_prefetch(bytes.data() + at);
}

}  // namespace

std::optional<bucket_view> bucket_view::parse(byte_span value) {
  if (value.size() < header_bytes + padding_bytes) {
    return std::nullopt;
  }
  bucket_view view;
  view.value_ = value;
  view.base_ = peek<std::uint64_t>(value, 4);
  view.shift_ = std::to_integer<unsigned>(value[12]);
  view.place_bytes_ = std::to_integer<unsigned>(value[13]);
  view.cells_ = peek<std::uint16_t>(value, 14);
  view.count_ = peek<std::uint32_t>(value, 16);
  if (view.base_ > max_tag || view.shift_ > tag_bits || view.place_bytes_ < 1 ||
      view.place_bytes_ > 5 || view.count_ > max_pairs) {
    return std::nullopt;
  }
  view.rest_bytes_ = bytes_for_bits(view.shift_);
  view.rests_at_ = header_bytes + cell_bytes * std::size_t{view.cells_};
  view.places_at_ =
      view.rests_at_ + std::size_t{view.count_} * view.rest_bytes_;
  const std::size_t end =
      view.places_at_ + std::size_t{view.count_} * view.place_bytes_;
  if (value.size() != end + padding_bytes) {
    return std::nullopt;
  }
  return view;
}

std::optional<std::vector<tag_place>> bucket_view::intact_pairs(tag key) const {
  if (checksum(bucket_key(key), value_.subspan(4)) !=
      peek<std::uint32_t>(value_, 0)) {
    return std::nullopt;
  }
  std::vector<tag_place> pairs;
  pairs.reserve(count_);
  for (std::uint32_t c = 0; c < cells_; ++c) {
    const range inside = cell(c);
    const std::uint64_t low = base_ + (std::uint64_t{c} << shift_);
    if (inside.first != pairs.size()) {
      return std::nullopt;
    }
    for (std::uint32_t i = inside.first; i < inside.last; ++i) {
      const tag_place pair{low + rest_at(i), place_at(i)};
      if (pair.key > max_tag || (!pairs.empty() && !(pairs.back() < pair))) {
        return std::nullopt;
      }
      pairs.push_back(pair);
    }
  }
  if (pairs.size() != count_) {
    return std::nullopt;
  }
  return pairs;
}

/// @pre number < cells_
bucket_view::range bucket_view::cell(std::uint32_t number) const noexcept {
  const std::size_t at = header_bytes + cell_bytes * std::size_t{number};
  range found;
  found.first = peek<std::uint16_t>(value_, at);
  found.last = number + 1 < cells_
                   ? peek<std::uint16_t>(value_, at + cell_bytes)
                   : count_;
  return found.first <= found.last && found.last <= count_ ? found : range();
}

std::uint64_t bucket_view::rest_at(std::uint32_t number) const noexcept {
  return peek<std::uint64_t>(value_,
                             rests_at_ + std::size_t{number} * rest_bytes_) &
         field_mask(rest_bytes_);
}

place bucket_view::place_at(std::uint32_t number) const noexcept {
  return peek<std::uint64_t>(value_,
                             places_at_ + std::size_t{number} * place_bytes_) &
         field_mask(place_bytes_);
}

void bucket_view::prefetch_cell(tag wanted) const noexcept {
  const std::uint64_t number = (wanted - base_) >> shift_;
  if (wanted >= base_ && number < cells_) {
    prefetch(value_, header_bytes + cell_bytes * number);
  }
}

bucket_view::range bucket_view::cell_of(tag wanted) const noexcept {
  const std::uint64_t number = (wanted - base_) >> shift_;
  if (wanted < base_ || number >= cells_) {
    return {};
  }
  const range found = cell(static_cast<std::uint32_t>(number));
  prefetch(value_, rests_at_ + std::size_t{found.first} * rest_bytes_);
  return found;
}

bucket_view::range bucket_view::match(range cell, tag wanted) const noexcept {
  const std::uint64_t rest =
      (wanted - base_) & ((std::uint64_t{1} << shift_) - 1);
  std::uint32_t first = cell.first;
  std::uint32_t left = cell.last - cell.first;
  while (left > 0) {
    const std::uint32_t half = left / 2;
    const bool above = rest_at(first + half) < rest;
    first = above ? first + half + 1 : first;
    left = above ? left - half - 1 : half;
  }
  range found{first, first};
  while (found.last < cell.last && rest_at(found.last) == rest) {
    ++found.last;
  }
  if (found.first != found.last) {
    prefetch(value_, places_at_ + std::size_t{first} * place_bytes_);
  }
  return found;
}

std::size_t bucket_view::places(range found, std::span<place> out) const {
  std::size_t count = 0;
  for (; found.first < found.last && count < out.size(); ++found.first) {
    out[count++] = place_at(found.first);
  }
  return count;
}

std::size_t bucket_view::find(tag wanted, std::span<place> out) const {
  return places(match(cell_of(wanted), wanted), out);
}

std::size_t bucket_bytes(std::span<const tag_place> pairs) {
  return shape_for(pairs).bytes(pairs.size());
}

byte_buffer encode_bucket(tag key, std::span<const tag_place> pairs) {
  assert(pairs.size() <= max_pairs);
  const shape how = shape_for(pairs);
  const unsigned rest_bytes = bytes_for_bits(how.shift);
  const std::uint64_t rest_mask = (std::uint64_t{1} << how.shift) - 1;
  const tag base = pairs.empty() ? 0 : pairs.front().key;
  byte_buffer value(how.bytes(pairs.size()));
  const std::span<std::byte> all(value);
  store_le(base, all.subspan(4));
  value[12] = static_cast<std::byte>(how.shift);
  value[13] = static_cast<std::byte>(how.place_bytes);
  store_le(static_cast<std::uint16_t>(how.cells), all.subspan(14));
  store_le(static_cast<std::uint32_t>(pairs.size()), all.subspan(16));
  std::size_t at = header_bytes;
  std::size_t number = 0;
  for (std::uint64_t cell = 0; cell < how.cells; ++cell, at += cell_bytes) {
    while (number < pairs.size() &&
           (pairs[number].key - base) >> how.shift < cell) {
      ++number;
    }
    store_le(static_cast<std::uint16_t>(number), all.subspan(at));
  }
  // Eight bytes each; the next field, or the padding, overwrites the rest.
  for (const tag_place& pair : pairs) {
    store_le((pair.key - base) & rest_mask, all.subspan(at));
    at += rest_bytes;
  }
  for (const tag_place& pair : pairs) {
    assert(pair.key >= base && pair.at <= max_place);
    store_le(pair.at, all.subspan(at));
    at += how.place_bytes;
  }
  store_le(std::uint64_t{0}, all.subspan(at));
  store_le(checksum(bucket_key(key), byte_span(value).subspan(4)),
           all.first(4));
  return value;
}

}  // namespace teleport::index
