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
    result<void> matched = match_tags();
    if (!matched) {
      end_ = first_;
      return matched.error();
    }
  }
  if (number < lead_first_ || number >= lead_end_) {
    matches_ = number == lead_end_ ? std::min(2 * matches_, max_width) : 1;
    result<void> found = find_leads(number);
    if (!found) {
      lead_end_ = lead_first_;
      return found.error();
    }
  }
  const std::size_t start = starts_[number - lead_first_];
  return std::span<const position>(leads_).subspan(
      start, starts_[number - lead_first_ + 1] - start);
}

result<void> lead_window::match_tags() {
  const std::size_t width = end_ - first_;
  result<lmdb_cursor> cursor = txn_.cursor(tables_.buckets());
  if (!cursor) {
    return cursor.error();
  }
  const auto key = [this](std::size_t i) {
    return tag_of(wanted_[first_ + i]);
  };
  std::array<byte_span, max_width> values;
  for (std::size_t i = 0; i < width; ++i) {
    const result<bool> found = cursor->seek(bucket_key(key(i)));
    if (!found) {
      return found.error();
    }
    values[i] = *found ? cursor->value() : byte_span();
    __builtin_prefetch(values[i].data());
  }
  for (std::size_t i = 0; i < width; ++i) {
    buckets_[i] = bucket_view::parse(values[i]);
    if (buckets_[i]) {
      buckets_[i]->prefetch_cell(key(i));
    }
  }
  for (std::size_t i = 0; i < width; ++i) {
    matched_[i] =
        buckets_[i] ? buckets_[i]->cell_of(key(i)) : bucket_view::range();
  }
  for (std::size_t i = 0; i < width; ++i) {
    if (buckets_[i]) {
      matched_[i] = buckets_[i]->match(matched_[i], key(i));
    }
  }
  return {};
}

result<void> lead_window::find_leads(std::size_t number) {
  lead_first_ = number;
  candidates_.clear();
  std::size_t matches = 0;
  for (; number < end_ && matches < matches_; ++number) {
    const std::size_t i = number - first_;
    std::array<place, max_places> places{};
    const std::size_t count =
        buckets_[i] ? buckets_[i]->places(matched_[i], places) : 0;
    matches += count != 0 ? 1 : 0;
    for (std::size_t n = 0; n < count; ++n) {
      const result<std::optional<byte_span>> value =
          reader_.group_value(places[n]);
      if (!value) {
        return value.error();
      }
      if (*value) {
        candidates_.push_back({number, places[n], **value});
      }
    }
  }
  lead_end_ = number;
  keep_true_leads();
  return {};
}

void lead_window::keep_true_leads() {
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
  for (std::size_t i = lead_first_; i < lead_end_; ++i) {
    starts_[i - lead_first_] = leads;
    for (; next < kept && candidates_[next].number == i; ++next) {
      if (leads_[next].digest() == wanted_[i]) {
        leads_[leads++] = leads_[next];
      }
    }
  }
  starts_[lead_end_ - lead_first_] = leads;
}

}  // namespace teleport::index
