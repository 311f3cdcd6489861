// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/lead_window.hpp"

#include <algorithm>
#include <optional>

namespace teleport::index {

result<std::span<const position>> lead_window::at(std::size_t number) {
  if (number < first_ || number >= end_) {
    width_ = number == end_ ? std::min(2 * width_, max_width) : min_width;
    first_ = number;
    end_ = std::min(number + width_, wanted_.size());
    result<void> filled = fill();
    if (!filled) {
      end_ = first_;
      return filled.error();
    }
  }
  const std::size_t start = starts_[number - first_];
  return std::span<const position>(leads_).subspan(
      start, starts_[number - first_ + 1] - start);
}

result<void> lead_window::fill() {
  const std::size_t width = end_ - first_;
  result<void> done = find_buckets(width);
  if (done) {
    done = find_groups(width);
  }
  if (done) {
    find_leads();
  }
  return done;
}

result<void> lead_window::find_buckets(std::size_t width) {
  result<lmdb_cursor> cursor = txn_.cursor(tables_.buckets());
  if (!cursor) {
    return cursor.error();
  }
  for (std::size_t i = 0; i < width; ++i) {
    const result<bool> found =
        cursor->seek(big_endian_key(tag_of(wanted_[first_ + i])));
    if (!found) {
      return found.error();
    }
    values_[i] = *found ? cursor->value() : byte_span();
    __builtin_prefetch(values_[i].data());
  }
  return {};
}

result<void> lead_window::find_groups(std::size_t width) {
  std::array<std::optional<bucket_view>, max_width> buckets;
  std::array<bucket_view::range, max_width> ranges;
  const auto key = [this](std::size_t i) {
    return tag_of(wanted_[first_ + i]);
  };
  for (std::size_t i = 0; i < width; ++i) {
    buckets[i] = bucket_view::parse(values_[i]);
    if (buckets[i]) {
      buckets[i]->prefetch_cell(key(i));
    }
  }
  for (std::size_t i = 0; i < width; ++i) {
    ranges[i] = buckets[i] ? buckets[i]->cell_of(key(i)) : bucket_view::range();
  }
  for (std::size_t i = 0; i < width; ++i) {
    if (buckets[i]) {
      ranges[i] = buckets[i]->match(ranges[i], key(i));
    }
  }
  candidates_.clear();
  for (std::size_t i = 0; i < width; ++i) {
    std::array<place, max_places> places{};
    const std::size_t count =
        buckets[i] ? buckets[i]->places(ranges[i], places) : 0;
    for (std::size_t n = 0; n < count; ++n) {
      const result<std::optional<byte_span>> value =
          reader_.group_value(places[n]);
      if (!value) {
        return value.error();
      }
      if (*value) {
        candidates_.push_back({first_ + i, places[n], **value});
      }
    }
  }
  return {};
}

void lead_window::find_leads() {
  leads_.clear();
  std::size_t kept = 0;
  for (const candidate& one : candidates_) {
    const std::optional<position> here = reader_.at(one.where, one.group);
    if (here) {
      candidates_[kept++].number = one.number;
      leads_.push_back(*here);
    }
  }
  // Now that all digests are on their way: those that are the wanted ones.
  std::size_t leads = 0;
  std::size_t next = 0;
  for (std::size_t i = first_; i < end_; ++i) {
    starts_[i - first_] = leads;
    for (; next < kept && candidates_[next].number == i; ++next) {
      if (leads_[next].digest() == wanted_[i]) {
        leads_[leads++] = leads_[next];
      }
    }
  }
  starts_[end_ - first_] = leads;
}

}  // namespace teleport::index
