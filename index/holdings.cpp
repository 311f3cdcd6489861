// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/holdings.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "index/block_search.hpp"
#include "index/extent_source.hpp"
#include "libteleport/disk/file_device.hpp"

namespace teleport::index {

namespace {

void count_runs(const std::vector<donor_run>& runs,
                std::uint64_t asked,
                holdings& sum) {
  std::uint64_t found = 0;
  for (const donor_run& run : runs) {
    found += run.count;
    ++sum.runs;
    sum.by_donor[run.donor] += run.count;
  }
  sum.found += found;
  sum.missing += asked - found;
}

/// Counts the blocks of an indexed disk that other disks hold, by its digests
/// in the index.
class disk_holdings {
 public:
  disk_holdings(store& tables, const disk_record& disk, disk_table others)
      : tables_(tables), disk_(disk), others_(std::move(others)) {}

  result<holdings> count(const std::atomic<bool>* cancel);

 private:
  result<void> count_group(std::uint32_t number);
  result<void> count_extent(block_search& search,
                            const group_view& group,
                            slot_number slot);

  store& tables_;
  const disk_record& disk_;
  disk_table others_;
  holdings sum_;
};

result<holdings> disk_holdings::count(const std::atomic<bool>* cancel) {
  sum_.bytes = disk_.size;
  const std::uint32_t first = disk_.base / group_extents;
  const auto end = static_cast<std::uint32_t>(disk_.end_slot() / group_extents);
  const auto numbers = tables_.groups_in(first, end);
  if (!numbers) {
    return numbers.error();
  }
  for (const std::uint32_t number : *numbers) {
    if (cancel != nullptr && *cancel) {
      return error(errc::cancelled, "stopped");
    }
    result<void> done = count_group(number);
    if (!done) {
      return done.error();
    }
  }
  sum_.zero = count_of(sum_.bytes, block_bytes) - sum_.found - sum_.missing;
  return sum_;
}

result<void> disk_holdings::count_group(std::uint32_t number) {
  const result<read_txn> txn = tables_.begin_read();
  if (!txn) {
    return txn.error();
  }
  const auto value = txn->get(tables_.groups(), big_endian_key(number));
  if (!value) {
    return value.error();
  }
  const auto group = *value ? group_view::parse(**value) : std::nullopt;
  block_search search(tables_, *txn, others_);
  result<void> done;
  for (unsigned e = group ? group->next_data(0) : group_extents;
       done && e < group_extents;
       e = group->next_data(e + 1)) {
    const auto slot = static_cast<slot_number>(number * group_extents + e);
    done = disk_.owns(slot) ? count_extent(search, *group, slot) : done;
  }
  return done;
}

result<void> disk_holdings::count_extent(block_search& search,
                                         const group_view& group,
                                         slot_number slot) {
  const auto extent = group.extent(slot % group_extents);
  if (!extent) {
    return {};
  }
  std::vector<block_digest> wanted;
  extent_digest sha{};
  std::copy(extent->sha.begin(), extent->sha.end(), sha.begin());
  for (std::uint32_t i = 0; i < extent->count; ++i) {
    wanted.push_back(group.digest(extent->first + i));
  }
  const auto runs = search.find_blocks(wanted);
  const auto whole = search.find_extent(sha);
  if (!runs || !whole) {
    return runs ? whole.error() : runs.error();
  }
  count_runs(*runs, wanted.size(), sum_);
  sum_.whole_extents += *whole ? 1U : 0U;
  return {};
}

}  // namespace

result<holdings> find_holdings(content_lookup& lookup,
                               const std::string& path,
                               const std::atomic<bool>* cancel) {
  const result<std::unique_ptr<block_device>> device =
      open_device(path, open_mode::read_only);
  if (!device) {
    return device.error();
  }
  source_options how;
  how.threads = 2;
  how.cancel = cancel;
  holdings sum;
  sum.bytes = (*device)->size();
  extent_source source(**device, path, how);
  for (auto part = source.next(); part; part = source.next()) {
    if (part->what == extent_source::kind::unreadable) {
      return error(errc::system, source.first_failure());
    }
    if (!part->content || part->content->count == 0) {
      continue;
    }
    const extent_content& content = *part->content;
    const bool whole = extent_length(sum.bytes, part->first) == extent_bytes;
    if (whole && lookup.find_extent(content.sha)) {
      ++sum.whole_extents;
    }
    count_runs(
        lookup.find_blocks(std::span(content.digests).first(content.count)),
        content.count,
        sum);
  }
  if (cancel != nullptr && *cancel) {
    return error(errc::cancelled, "stopped");
  }
  sum.zero = count_of(sum.bytes, block_bytes) - sum.found - sum.missing;
  return sum;
}

result<holdings> find_holdings_of(store& tables,
                                  std::uint32_t id,
                                  const std::atomic<bool>* cancel) {
  const result<disk_table> all = tables.disks();
  if (!all) {
    return all.error();
  }
  const disk_record* disk = all->by_id(id);
  if (disk == nullptr) {
    return error(errc::not_found, "the disk is not in the index");
  }
  std::vector<disk_record> others = all->all();
  std::erase_if(others, [id](const disk_record& one) { return one.id == id; });
  return disk_holdings(
             tables, *disk, disk_table(std::move(others), all->generation()))
      .count(cancel);
}

}  // namespace teleport::index
