// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/check.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "index/position.hpp"

namespace teleport::index {

namespace {

/// Values looked at in one transaction: a long one would keep pages from being
/// used again.
constexpr std::size_t values_at_once = 64;
constexpr std::size_t batch_bytes = std::size_t{48} << 20U;

class check_run {
 public:
  check_run(store& tables,
            const disk_table& disks,
            bool repair,
            const std::atomic<bool>* cancel)
      : tables_(tables), disks_(disks), repair_(repair), cancel_(cancel) {}

  result<check_report> run();

 private:
  using visitor = result<void> (check_run::*)(const read_txn&,
                                              byte_span key,
                                              byte_span value);
  result<void> walk(lmdb_table table, visitor visit);
  result<void> flush();
  result<void> look_at_group(const read_txn& txn,
                             byte_span key,
                             byte_span value);
  result<void> look_at_bucket(const read_txn& txn,
                              byte_span key,
                              byte_span value);
  result<void> look_at_digests(const read_txn& txn,
                               byte_span key,
                               byte_span value);
  result<void> look_at_slots(const read_txn& txn,
                             byte_span key,
                             byte_span value);
  result<void> look_at_block(const read_txn& txn,
                             block_digest digest,
                             place where);
  result<void> look_at_extent(const read_txn& txn,
                              byte_span sha,
                              slot_number slot);
  result<void> mark_incomplete(const disk_record& disk);

  store& tables_;
  const disk_table& disks_;
  bool repair_;
  const std::atomic<bool>* cancel_;
  check_report report_;
  changes batch_;
  lmdb_table erased_from_;
  std::vector<byte_buffer> erased_;  ///< keys
  std::size_t marked_ = 0;           ///< of report_.to_be_scanned
};

/// Order: drop damaged groups; drop pairs that lead to no digest; add pairs
/// that are missing, which also refills a dropped bucket.
result<check_report> check_run::run() {
  const std::pair<lmdb_table, visitor> passes[] = {
      {tables_.groups(), &check_run::look_at_group},
      {tables_.buckets(), &check_run::look_at_bucket},
      {tables_.extents(), &check_run::look_at_slots},
      {tables_.groups(), &check_run::look_at_digests}};
  for (const auto& [table, visit] : passes) {
    erased_from_ = table;
    result<void> done = walk(table, visit);
    if (!done) {
      return done.error();
    }
  }
  result<void> done = repair_ ? tables_.sync() : result<void>();
  if (!done) {
    return done.error();
  }
  return report_;
}

result<void> check_run::walk(lmdb_table table, visitor visit) {
  byte_buffer from;
  for (bool more = true; more;) {
    if (cancel_ != nullptr && *cancel_) {
      return error(errc::cancelled, "check of the index");
    }
    {
      const result<read_txn> txn = tables_.begin_read();
      if (!txn) {
        return txn.error();
      }
      result<lmdb_cursor> cursor = txn->cursor(table);
      if (!cursor) {
        return cursor.error();
      }
      result<bool> here = cursor->seek(from);
      for (std::size_t n = 0; here && *here && n < values_at_once; ++n) {
        result<void> looked =
            (this->*visit)(*txn, cursor->key(), cursor->value());
        if (!looked) {
          return looked;
        }
        here = cursor->next();
      }
      if (!here) {
        return here.error();
      }
      more = *here;
      if (more) {
        from.assign(cursor->key().begin(), cursor->key().end());
      }
    }
    if (!more || batch_.bytes() >= batch_bytes || !erased_.empty()) {
      result<void> flushed = flush();
      if (!flushed) {
        return flushed;
      }
    }
  }
  return {};
}

result<void> check_run::flush() {
  // Writes the disks' records first: a record must not promise zeros where a
  // group is gone.
  result<void> done;
  for (; repair_ && done && marked_ < report_.to_be_scanned.size(); ++marked_) {
    done = mark_incomplete(*disks_.by_path(report_.to_be_scanned[marked_]));
  }
  if (repair_ && done && !erased_.empty()) {
    done = tables_.erase(erased_from_, erased_);
  }
  erased_.clear();
  if (repair_ && done) {
    return tables_.apply(batch_);
  }
  batch_.clear();
  return done;
}

result<void> check_run::look_at_group(const read_txn& /*txn*/,
                                      byte_span key,
                                      byte_span value) {
  const std::optional<std::uint32_t> number = key_number(key);
  if (!number) {
    return {};
  }
  ++report_.groups;
  const auto slot = static_cast<slot_number>(
      std::min<std::uint64_t>(std::uint64_t{*number} * group_extents, ~0U));
  const disk_record* owner = disks_.owner(slot);
  const auto view = group_view::parse(value);
  if (owner != nullptr && view && view->intact(*number)) {
    return {};
  }
  erased_.emplace_back(key.begin(), key.end());
  if (owner == nullptr) {
    ++report_.ownerless_groups;
    return {};
  }
  ++report_.damaged_groups;
  std::vector<std::string>& paths = report_.to_be_scanned;
  if (std::find(paths.begin(), paths.end(), owner->path) == paths.end()) {
    paths.push_back(owner->path);
  }
  return {};
}

result<void> check_run::look_at_bucket(const read_txn& txn,
                                       byte_span key,
                                       byte_span value) {
  ++report_.buckets;
  const auto view = bucket_view::parse(value);
  const auto tag_key = bucket_tag(key);
  const auto pairs =
      view && tag_key ? view->intact_pairs(*tag_key) : std::nullopt;
  if (!pairs) {
    ++report_.damaged_buckets;
    erased_.emplace_back(key.begin(), key.end());
    return {};
  }
  position_reader reader(tables_, txn, disks_);
  for (const tag_place& pair : *pairs) {
    ++report_.pairs;
    const auto group = reader.group_value(pair.at);
    if (!group) {
      return group.error();
    }
    const std::optional<position> here =
        *group ? reader.at(pair.at, **group) : std::nullopt;
    if (!here || tag_of(here->digest()) != pair.key) {
      ++report_.stale_pairs;
      batch_.change_pair({pair.key,
                          slot_of(pair.at),
                          static_cast<std::uint8_t>(block_of(pair.at)),
                          false});
    }
  }
  return {};
}

result<void> check_run::look_at_slots(const read_txn& txn,
                                      byte_span key,
                                      byte_span value) {
  ++report_.extents;
  position_reader reader(tables_, txn, disks_);
  for (std::size_t at = 0; at + 4 <= value.size(); at += 4) {
    const auto slot = peek<std::uint32_t>(value, at);
    const disk_record* owner = disks_.owner(slot);
    const auto group = reader.group(slot / group_extents);
    if (!group) {
      return group.error();
    }
    const auto extent = owner != nullptr && *group != nullptr
                            ? (*group)->extent(slot % group_extents)
                            : std::nullopt;
    const bool good =
        key.size() == 8 && extent &&
        extent_length(owner->size, slot - owner->base) == extent_bytes &&
        std::equal(key.begin(), key.end(), extent->sha.begin());
    if (!good && key.size() == 8) {
      ++report_.stale_extents;
      batch_.change_extent(key, slot, false);
    }
  }
  return {};
}

result<void> check_run::look_at_digests(const read_txn& txn,
                                        byte_span key,
                                        byte_span value) {
  const std::optional<std::uint32_t> number = key_number(key);
  const auto view = group_view::parse(value);
  if (!number || !view) {
    return {};
  }
  for (unsigned e = view->next_data(0); e < group_extents;
       e = view->next_data(e + 1)) {
    const auto slot = static_cast<slot_number>(*number * group_extents + e);
    const disk_record* owner = disks_.owner(slot);
    const auto extent = view->extent(e);
    if (owner == nullptr || !extent) {
      continue;
    }
    const std::size_t length = extent_length(owner->size, slot - owner->base);
    result<void> looked = length == extent_bytes
                              ? look_at_extent(txn, extent->sha, slot)
                              : result<void>();
    std::uint32_t digest = extent->first;
    // A short last block has no pair.
    for (unsigned b = extent->next(0); looked && b < length / block_bytes;
         b = extent->next(b + 1)) {
      looked = look_at_block(txn, view->digest(digest++), make_place(slot, b));
    }
    if (!looked) {
      return looked;
    }
  }
  return {};
}

result<void> check_run::look_at_block(const read_txn& txn,
                                      block_digest digest,
                                      place where) {
  result<lmdb_cursor> cursor = txn.cursor(tables_.buckets());
  if (!cursor) {
    return cursor.error();
  }
  const result<bool> found = cursor->seek(bucket_key(tag_of(digest)));
  if (!found) {
    return found.error();
  }
  const auto bucket =
      *found ? bucket_view::parse(cursor->value()) : std::nullopt;
  std::array<place, max_places> places{};
  const std::size_t count = bucket ? bucket->find(tag_of(digest), places) : 0;
  const auto end = places.begin() + static_cast<std::ptrdiff_t>(count);
  if (count < max_places && std::find(places.begin(), end, where) == end) {
    ++report_.missing_pairs;
    batch_.change_pair({tag_of(digest),
                        slot_of(where),
                        static_cast<std::uint8_t>(block_of(where)),
                        true});
  }
  return {};
}

result<void> check_run::look_at_extent(const read_txn& txn,
                                       byte_span sha,
                                       slot_number slot) {
  const auto value = txn.get(tables_.extents(), sha.first(8));
  if (!value) {
    return value.error();
  }
  const byte_span slots = *value ? **value : byte_span();
  bool found = slots.size() >= 4 * max_places;
  for (std::size_t at = 0; at + 4 <= slots.size(); at += 4) {
    found = found || peek<std::uint32_t>(slots, at) == slot;
  }
  if (!found) {
    ++report_.missing_extents;
    batch_.change_extent(sha, slot, true);
  }
  return {};
}

/// Without this a missing group would count as zeros.
result<void> check_run::mark_incomplete(const disk_record& disk) {
  disk_record marked = disk;
  marked.complete = false;
  return tables_.update_disk(marked);
}

}  // namespace

result<check_report> check_index(store& tables,
                                 bool repair,
                                 const std::atomic<bool>* cancel) {
  const result<disk_lock> alone = tables.lock_all_disks();
  if (!alone) {
    return alone.error();
  }
  const result<disk_table> disks = tables.disks();
  if (!disks) {
    return disks.error();
  }
  return check_run(tables, *disks, repair, cancel).run();
}

}  // namespace teleport::index
