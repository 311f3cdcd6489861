// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/pair_merge.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "index/store.hpp"
#include "libteleport/base/log.hpp"

namespace teleport::index {

namespace {

/// Below this a bucket is joined with its neighbour.
constexpr std::size_t small_bucket_bytes = max_bucket_bytes / 4;

}  // namespace

void thin_places(std::vector<tag_place>& pairs,
                 std::size_t first,
                 const disk_table& disks) {
  // A disk's places stand side by side. Rounds: the first of each disk, then
  // the second of each, until there are enough.
  struct taken {
    std::size_t round = 0;
    tag_place pair;
  };
  std::array<taken, max_places> kept{};
  std::size_t count = 0;
  const disk_record* owner = nullptr;
  std::size_t round = 0;
  for (std::size_t i = first; i < pairs.size(); ++i) {
    const slot_number slot = slot_of(pairs[i].at);
    if (owner == nullptr || !owner->owns(slot)) {
      owner = disks.owner(slot);
      round = 0;
    }
    if (owner == nullptr) {
      continue;
    }
    if (count < kept.size()) {
      kept[count++] = {round, pairs[i]};
    } else {
      const auto worst = std::max_element(
          kept.begin(), kept.end(), [](const taken& a, const taken& b) {
            return a.round < b.round;
          });
      if (round < worst->round) {
        *worst = {round, pairs[i]};
      }
    }
    ++round;
  }
  pairs.resize(first);
  for (std::size_t i = 0; i < count; ++i) {
    pairs.push_back(kept[i].pair);
  }
  std::sort(pairs.begin() + static_cast<std::ptrdiff_t>(first), pairs.end());
}

bool pair_merge::done(const state& now) const {
  return sweep_ ? now.from > max_tag : now.change >= changes_.size();
}

result<void> pair_merge::run(lmdb_env& env) {
  state committed;
  while (!done(committed)) {
    state now;
    result<void> step = env.write([&](write_txn& txn) -> result<void> {
      now = committed;
      now.written = 0;
      while (!done(now) && now.written < bytes_per_commit) {
        result<void> merged = next_bucket(txn, now);
        if (!merged) {
          return merged;
        }
      }
      return {};
    });
    if (!step) {
      return step;
    }
    committed = now;
  }
  return {};
}

result<void> pair_merge::next_bucket(write_txn& txn, state& now) {
  merged_.clear();
  differs_ = false;
  std::uint64_t from = sweep_ ? now.from : changes_[now.change].key;
  while (true) {
    tag high = max_tag;
    bool found = false;
    {
      result<lmdb_cursor> cursor = txn.cursor(buckets_);
      if (!cursor) {
        return cursor.error();
      }
      const result<bool> sought = cursor->seek(bucket_key(from));
      if (!sought) {
        return sought.error();
      }
      found = *sought;
      if (found) {
        high = bucket_tag(cursor->key()).value_or(max_tag);
      }
      result<void> merged =
          merge_range(high, found ? cursor->value() : byte_span(), now);
      if (!merged) {
        return merged;
      }
    }
    now.from = high + 1;
    if (!differs_) {
      now.written += 64;  // a long way of nothing must come to its end as well
      return {};
    }
    const bool small = bucket_bytes(merged_) < small_bucket_bytes;
    if (found && small && now.from <= max_tag) {
      // The bucket's pairs go into the next one, whose range grows down to
      // cover them.
      result<void> gone = txn.erase(buckets_, bucket_key(high));
      if (!gone) {
        return gone;
      }
      from = now.from;
      continue;
    }
    return put(txn, high, now);
  }
}

/// Appends the bucket's pairs, changed, to merged_.
result<void> pair_merge::merge_range(tag high, byte_span old, state& now) {
  std::vector<tag_place> present_pairs;
  if (!old.empty()) {
    const auto view = bucket_view::parse(old);
    auto pairs = view ? view->intact_pairs(high) : std::nullopt;
    if (pairs) {
      present_pairs = std::move(*pairs);
    } else {
      log_warning("index: bucket " + std::to_string(high) +
                  " is damaged and begun anew");
      differs_ = true;
    }
  }
  const std::size_t count = present_pairs.size();
  std::size_t group_start = merged_.size();
  bool group_differs = false;
  const auto close_group = [&](tag next_key, bool last) {
    if (merged_.size() > group_start &&
        (last || merged_[group_start].key != next_key)) {
      const std::size_t before = merged_.size();
      if (sweep_ || group_differs) {
        thin_places(merged_, group_start, disks_);
      }
      differs_ = differs_ || merged_.size() != before;
      group_start = merged_.size();
      group_differs = false;
    }
  };
  std::size_t i = 0;
  while (i < count ||
         (now.change < changes_.size() && changes_[now.change].key <= high)) {
    const bool more_changes =
        now.change < changes_.size() && changes_[now.change].key <= high;
    const tag_place old_pair = i < count ? present_pairs[i] : tag_place{};
    if (!more_changes ||
        (i < count && old_pair < tag_place{changes_[now.change].key,
                                           changes_[now.change].at()})) {
      close_group(old_pair.key, false);
      merged_.push_back(old_pair);
      ++i;
      continue;
    }
    const tag_place changed{changes_[now.change].key,
                            changes_[now.change].at()};
    bool present = i < count && old_pair == changed;
    const bool was = present;
    i += present ? 1 : 0;
    for (; now.change < changes_.size() &&
           tag_place{changes_[now.change].key, changes_[now.change].at()} ==
               changed;
         ++now.change) {
      present = changes_[now.change].add;
    }
    close_group(changed.key, false);
    group_differs = true;
    if (present) {
      merged_.push_back(changed);
    }
    differs_ = differs_ || present != was;
  }
  close_group(0, true);
  return {};
}

/// Writes merged_ as one bucket, or as equal parts, the last under `high`.
result<void> pair_merge::put(write_txn& txn, tag high, state& now) {
  if (merged_.empty()) {
    return txn.erase(buckets_, bucket_key(high));
  }
  const std::size_t parts =
      (bucket_bytes(merged_) + max_bucket_bytes - 1) / max_bucket_bytes;
  std::size_t first = 0;
  for (std::size_t part = 1; part <= parts && first < merged_.size(); ++part) {
    std::size_t end = merged_.size() * part / parts;
    // All pairs of one tag stay together.
    while (end < merged_.size() && end > 0 &&
           merged_[end].key == merged_[end - 1].key) {
      ++end;
    }
    if (end <= first) {
      continue;
    }
    const std::span<const tag_place> pairs(&merged_[first], end - first);
    const tag key = end == merged_.size() ? high : pairs.back().key;
    const byte_buffer value = encode_bucket(key, pairs);
    result<void> stored = txn.put(buckets_, bucket_key(key), value);
    if (!stored) {
      return stored;
    }
    now.written += value.size();
    first = end;
  }
  return {};
}

}  // namespace teleport::index
