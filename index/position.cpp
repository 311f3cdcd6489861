// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/position.hpp"

namespace teleport::index {

std::uint64_t position::offset() const noexcept {
  return std::uint64_t{slot - disk->base} * extent_bytes +
         std::uint64_t{block} * block_bytes;
}

bool position::whole() const noexcept {
  return offset() + block_bytes <= disk->size;
}

result<std::optional<byte_span>> position_reader::group_value(place at) {
  const slot_number slot = slot_of(at);
  if (disks_.owner(slot) == nullptr) {
    return std::optional<byte_span>();
  }
  result<std::optional<byte_span>> value =
      txn_.get(tables_.groups(), big_endian_key(slot / group_extents));
  if (value && *value) {
    group_view::prefetch(**value, slot % group_extents);
  }
  return value;
}

std::optional<position> position_reader::at(place where,
                                            byte_span value) const {
  position here;
  here.slot = slot_of(where);
  here.block = block_of(where);
  here.disk = disks_.owner(here.slot);
  const auto view = group_view::parse(value);
  if (here.disk == nullptr || !here.whole() || !view) {
    return std::nullopt;
  }
  here.group = *view;
  const auto extent = view->extent(here.slot % group_extents);
  if (!extent || !extent->has(here.block)) {
    return std::nullopt;
  }
  here.extent = *extent;
  here.number = extent->first + extent->rank(here.block);
  view->prefetch_digest(here.number);
  return here;
}

result<bool> position_reader::advance(position& at) {
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

result<const group_view*> position_reader::group(std::uint32_t number) {
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

}  // namespace teleport::index
