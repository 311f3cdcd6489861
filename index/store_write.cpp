// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/store_write.cpp: the changing half of store.hpp.

#include <algorithm>
#include <utility>

#include "index/store.hpp"
#include "libteleport/base/log.hpp"

namespace teleport::index {

namespace {

constexpr std::string_view state_key = "state";

std::uint64_t sha_key(byte_span sha) {
  std::uint64_t key = 0;
  for (const std::byte b : sha.first(8)) {
    key = key << 8U | std::to_integer<std::uint64_t>(b);
  }
  return key;
}

std::array<std::byte, 8> sha_key_bytes(std::uint64_t key) {
  std::array<std::byte, 8> bytes{};
  for (unsigned i = 0; i < 8; ++i) {
    bytes[i] = static_cast<std::byte>(key >> (56 - 8 * i) & 0xffU);
  }
  return bytes;
}

/// The slots of one value of the table `extents`, at most max_places.
std::vector<slot_number> read_slots(const std::optional<byte_span>& value) {
  std::vector<slot_number> slots;
  for (std::size_t at = 0;
       value && at + 4 <= value->size() && slots.size() < max_places;
       at += 4) {
    slots.push_back(peek<std::uint32_t>(*value, at));
  }
  return slots;
}

result<void> put_slots(write_txn& txn,
                       lmdb_table table,
                       byte_span key,
                       const std::vector<slot_number>& slots) {
  if (slots.empty()) {
    return txn.erase(table, key);
  }
  byte_writer out;
  for (const slot_number slot : slots) {
    out.number(slot);
  }
  return txn.put(table, key, std::move(out).take());
}

}  // namespace

void changes::replace_group(const disk_record& disk,
                            std::uint32_t number,
                            const std::optional<byte_buffer>& before,
                            std::optional<byte_buffer> now) {
  const auto old_view = before ? group_view::parse(*before) : std::nullopt;
  const auto new_view = now ? group_view::parse(*now) : std::nullopt;
  if (before == now) {
    return;
  }
  for (unsigned e = 0; e < group_extents; ++e) {
    const std::uint64_t slot = std::uint64_t{number} * group_extents + e;
    if (slot < disk.base || slot - disk.base >= disk.extents()) {
      continue;
    }
    note_extent(
        disk,
        static_cast<slot_number>(slot),
        {old_view ? &*old_view : nullptr, new_view ? &*new_view : nullptr});
  }
  group_bytes_ += now ? now->size() : 0;
  groups_.push_back({number, std::move(now)});
}

void changes::note_extent(const disk_record& disk,
                          slot_number slot,
                          const view_pair& views) {
  const unsigned e = slot % group_extents;
  const auto was = views.old_one ? views.old_one->extent(e) : std::nullopt;
  const auto is = views.new_one ? views.new_one->extent(e) : std::nullopt;
  const std::uint64_t number = slot - disk.base;
  const std::size_t length = extent_length(disk.size, number);
  const bool same_sha =
      was && is &&
      std::equal(was->sha.begin(), was->sha.end(), is->sha.begin());
  if (length == extent_bytes && !same_sha) {
    if (was) {
      change_extent(was->sha, slot, false);
    }
    if (is) {
      change_extent(is->sha, slot, true);
    }
  }
  std::uint32_t old_rank = was ? was->first : 0;
  std::uint32_t new_rank = is ? is->first : 0;
  // A short last block cannot be read as a block: no pair for it.
  for (unsigned b = 0; b < length / block_bytes; ++b) {
    const bool had = was && was->has(b);
    const bool has = is && is->has(b);
    const block_digest before = had ? views.old_one->digest(old_rank++) : 0;
    const block_digest now = has ? views.new_one->digest(new_rank++) : 0;
    if (had && has && before == now) {
      continue;
    }
    const auto block = static_cast<std::uint8_t>(b);
    if (had) {
      pairs_.push_back({tag_of(before), slot, block, false});
    }
    if (has) {
      pairs_.push_back({tag_of(now), slot, block, true});
    }
  }
}

void changes::change_extent(byte_span sha, slot_number slot, bool add) {
  extents_.push_back({sha_key(sha), slot, add});
}

std::size_t changes::bytes() const noexcept {
  return pairs_.size() * sizeof(pair_change) +
         extents_.size() * sizeof(extent_change) + group_bytes_;
}

void changes::clear() {
  pairs_.clear();
  extents_.clear();
  groups_.clear();
  group_bytes_ = 0;
}

result<state_record> store::stored_state(write_txn& txn) const {
  const auto value = txn.get(state_, as_bytes(state_key));
  if (!value) {
    return value.error();
  }
  auto state = *value ? decode_state(**value) : std::nullopt;
  if (state) {
    return *state;
  }
  // A database that is begun: from now on it is this one and no other.
  const auto instance = unique_id::make();
  if (!instance) {
    return instance.error();
  }
  state_record first;
  first.instance = *instance;
  return first;
}

result<void> store::put_state(write_txn& txn, state_record state) {
  ++state.generation;
  return txn.put(state_, as_bytes(state_key), encode(state));
}

result<void> store::grow_generation(write_txn& txn) {
  const auto state = stored_state(txn);
  return state ? put_state(txn, *state) : result<void>(state.error());
}

result<disk_record> store::add_disk(disk_record record) {
  result<void> added = env_->write([&](write_txn& txn) -> result<void> {
    const result<disk_table> all = read_disks(txn);
    if (!all) {
      return all.error();
    }
    if (all->by_path(record.path) != nullptr) {
      return error(errc::busy, record.path + " is in the index already");
    }
    const auto base = all->room_for(record.extents());
    if (!base) {
      return error(errc::no_space, "the index holds 4 PiB and is full");
    }
    record.base = *base;
    auto state = stored_state(txn);
    if (!state) {
      return state.error();
    }
    record.id = state->next_disk++;
    result<void> stored =
        txn.put(disks_, big_endian_key(record.id), encode(record));
    return stored ? put_state(txn, *state) : stored;
  });
  if (added && !record.by_itself) {
    added = paths_.add({record.path});
  }
  if (!added) {
    return added.error();
  }
  return record;
}

result<disk_record> store::stored_disk(write_txn& txn, std::uint32_t id) const {
  const auto present = txn.get(disks_, big_endian_key(id));
  if (!present) {
    return present.error();
  }
  const std::string what = "disk " + std::to_string(id);
  if (!*present) {
    return error(errc::not_found, what + " was removed meanwhile");
  }
  std::optional<disk_record> disk = decode_disk(id, **present);
  return disk ? result<disk_record>(std::move(*disk))
              : error(errc::corrupt, what + " has no whole record");
}

result<void> store::put_disk(write_txn& txn, const disk_record& record) {
  result<void> stored =
      txn.put(disks_, big_endian_key(record.id), encode(record));
  return stored ? grow_generation(txn) : stored;
}

result<void> store::update_disk(const disk_record& record) {
  return env_->write([&](write_txn& txn) -> result<void> {
    const result<disk_record> before = stored_disk(txn, record.id);
    if (!before && before.error().code != errc::corrupt) {
      return in_context(record.path, before.error());
    }
    disk_record now = record;
    now.by_itself = before ? before->by_itself : record.by_itself;
    return put_disk(txn, now);
  });
}

result<disk_record> store::set_listed(std::uint32_t id) {
  disk_record disk;
  result<void> done = env_->write([&](write_txn& txn) -> result<void> {
    result<disk_record> before = stored_disk(txn, id);
    if (!before) {
      return before.error();
    }
    disk = std::move(*before);
    disk.by_itself = false;
    return put_disk(txn, disk);
  });
  if (done) {
    done = paths_.add({disk.path});
  }
  return done ? result<disk_record>(std::move(disk)) : done.error();
}

result<void> store::apply(changes& batch) {
  result<void> done = apply_pairs(batch);
  if (done) {
    done = apply_extents(batch);
  }
  if (done) {
    done = apply_groups(batch);
  }
  batch.clear();
  return done;
}

result<void> store::apply_pairs(changes& batch) {
  std::sort(batch.pairs_.begin(), batch.pairs_.end());
  const result<disk_table> all = disks();
  if (!all) {
    return all.error();
  }
  pair_merge merge(buckets_, *all, batch.pairs_, false);
  return merge.run(*env_);
}

/// Applies removals before additions: an extent whose content moved keeps its
/// new slot.
result<void> store::apply_extents(changes& batch) {
  std::stable_sort(batch.extents_.begin(),
                   batch.extents_.end(),
                   [](const auto& a, const auto& b) {
                     return a.sha_key != b.sha_key ? a.sha_key < b.sha_key
                                                   : a.add < b.add;
                   });
  constexpr std::size_t at_once = 16384;
  for (std::size_t first = 0; first < batch.extents_.size(); first += at_once) {
    const std::size_t end = std::min(first + at_once, batch.extents_.size());
    result<void> done = env_->write([&](write_txn& txn) -> result<void> {
      for (std::size_t i = first; i < end; ++i) {
        const changes::extent_change& change = batch.extents_[i];
        const auto key = sha_key_bytes(change.sha_key);
        const auto value = txn.get(extents_, key);
        if (!value) {
          return value.error();
        }
        std::vector<slot_number> slots = read_slots(*value);
        const std::size_t before = slots.size();
        std::erase(slots, change.slot);
        if (change.add && slots.size() < max_places) {
          slots.push_back(change.slot);
        } else if (slots.size() == before) {
          continue;
        }
        result<void> stored = put_slots(txn, extents_, key, slots);
        if (!stored) {
          return stored;
        }
      }
      return {};
    });
    if (!done) {
      return done;
    }
  }
  return {};
}

result<void> store::apply_groups(changes& batch) {
  std::size_t first = 0;
  while (first < batch.groups_.size()) {
    std::size_t next = first;
    result<void> done = env_->write([&](write_txn& txn) -> result<void> {
      std::size_t written = 0;
      for (next = first;
           next < batch.groups_.size() && written < bytes_per_commit;
           ++next) {
        const changes::group_change& change = batch.groups_[next];
        const auto key = big_endian_key(change.number);
        result<void> stored = change.value
                                  ? txn.put(groups_, key, *change.value)
                                  : txn.erase(groups_, key);
        if (!stored) {
          return stored;
        }
        written += change.value ? change.value->size() : 64;
      }
      return {};
    });
    if (!done) {
      return done;
    }
    first = next;
  }
  return {};
}

result<void> store::remove_disk(std::uint32_t id, removal what) {
  const result<disk_table> all = disks();
  if (!all) {
    return all.error();
  }
  const disk_record* found = all->by_id(id);
  if (found == nullptr) {
    return error(errc::not_found, "the disk is not in the index");
  }
  // Marks the record incomplete, removes the groups, and removes the record
  // last. A crash in between leaves a record that can be removed again, and
  // that promises no zeros.
  disk_record gone = *found;
  gone.complete = false;
  result<void> done =
      what == removal::for_good ? paths_.remove(gone.path) : result<void>();
  if (done && what == removal::for_good) {
    done = pauses_.rename(gone.path, {});
  }
  if (done) {
    done = update_disk(gone);
  }
  if (done) {
    done = drop_groups(gone);
  }
  if (done) {
    done = env_->write([&](write_txn& txn) -> result<void> {
      result<void> erased = txn.erase(disks_, big_endian_key(id));
      return erased ? grow_generation(txn) : erased;
    });
  }
  if (done) {
    done = sweep_pairs();
  }
  return done ? sweep_extents() : done;
}

result<void> store::erase(lmdb_table table, std::span<const byte_buffer> keys) {
  return env_->write([&](write_txn& txn) -> result<void> {
    result<void> done;
    for (std::size_t i = 0; done && i < keys.size(); ++i) {
      done = txn.erase(table, keys[i]);
    }
    return done;
  });
}

result<void> store::drop_groups(const disk_record& gone) {
  const std::uint32_t first = gone.base / group_extents;
  const auto last = static_cast<std::uint32_t>(gone.end_slot() / group_extents);
  const result<std::vector<std::uint32_t>> numbers = groups_in(first, last);
  if (!numbers) {
    return numbers.error();
  }
  changes batch;
  for (const std::uint32_t number : *numbers) {
    batch.groups_.push_back({number, std::nullopt});
  }
  return apply_groups(batch);
}

/// Visits every bucket: pairs whose slots no disk owns go.
result<void> store::sweep_pairs() {
  const result<disk_table> all = disks();
  if (!all) {
    return all.error();
  }
  pair_merge merge(buckets_, *all, {}, true);
  return merge.run(*env_);
}

/// Slots that no disk owns go; in rounds, so that memory stays bounded.
result<void> store::sweep_extents() {
  constexpr std::size_t at_once = 65536;
  const result<disk_table> all = disks();
  if (!all) {
    return all.error();
  }
  byte_buffer from;
  for (bool again = true; again;) {
    changes batch;
    {
      result<read_txn> txn = env_->begin_read();
      if (!txn) {
        return txn.error();
      }
      result<lmdb_cursor> cursor = txn->cursor(extents_);
      if (!cursor) {
        return cursor.error();
      }
      result<bool> more = cursor->seek(from);
      for (; more && *more && batch.extents_.size() < at_once;
           more = cursor->next()) {
        const byte_span key = cursor->key();
        for (const slot_number slot : read_slots(cursor->value())) {
          if (key.size() == 8 && all->owner(slot) == nullptr) {
            batch.extents_.push_back({sha_key(key), slot, false});
          }
        }
      }
      if (!more) {
        return more.error();
      }
      again = *more;
      if (again) {
        from.assign(cursor->key().begin(), cursor->key().end());
      }
    }
    result<void> done = apply_extents(batch);
    if (!done) {
      return done;
    }
  }
  return {};
}

result<store_counts> store::count() {
  store_counts counts;
  result<read_txn> txn = env_->begin_read();
  if (!txn) {
    return txn.error();
  }
  counts.file_bytes = env_->file_bytes();
  counts.map_bytes = env_->map_bytes();
  counts.free_bytes = env_->free_bytes(*txn);
  const std::pair<lmdb_table, std::uint64_t*> tables[] = {
      {disks_, &counts.disks},
      {groups_, &counts.groups},
      {buckets_, &counts.buckets},
      {extents_, &counts.extents}};
  for (const auto& [table, number] : tables) {
    const result<std::uint64_t> entries = txn->entries(table);
    if (!entries) {
      return entries.error();
    }
    *number = *entries;
  }
  result<lmdb_cursor> cursor = txn->cursor(buckets_);
  if (!cursor) {
    return cursor.error();
  }
  result<bool> more = cursor->seek({});
  for (; more && *more; more = cursor->next()) {
    const auto view = bucket_view::parse(cursor->value());
    const auto key = bucket_tag(cursor->key());
    const auto pairs = view && key ? view->intact_pairs(*key) : std::nullopt;
    counts.damaged_values += pairs ? 0U : 1U;
    for (std::size_t i = 0; pairs && i < pairs->size(); ++i) {
      ++counts.pairs;
      counts.tags += i == 0 || (*pairs)[i].key != (*pairs)[i - 1].key ? 1U : 0U;
    }
  }
  if (!more) {
    return more.error();
  }
  return counts;
}

}  // namespace teleport::index
