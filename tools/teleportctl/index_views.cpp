// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/index_views.cpp: the commands that tell what is indexed.

#include <algorithm>
#include <ctime>
#include <iostream>
#include <map>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "index/check.hpp"
#include "index/coverage.hpp"
#include "index/hash_index.hpp"
#include "index/holdings.hpp"
#include "index/identity.hpp"
#include "libteleport/base/json_text.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/disk/standing_tracker.hpp"
#include "tools/teleportctl/disk_names.hpp"
#include "tools/teleportctl/index_commands.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

std::string time_text(std::uint64_t seconds) {
  if (seconds == 0) {
    return "never";
  }
  const auto when = static_cast<std::time_t>(seconds);
  std::tm parts{};
  if (::localtime_r(&when, &parts) == nullptr) {
    return "?";
  }
  return fmt::format("{:%Y-%m-%d %H:%M}", parts);
}

/// What `index list` says of a disk that only disks.txt knows.
constexpr const char* lost_state = "lost";

/// For each disk that teleportd follows, bytes written since the index last
/// read them. Only root can read the marks.
using behind_bytes = std::map<std::uint32_t, std::uint64_t>;

behind_bytes followed_disks(index::store& tables,
                            const index::disk_table& disks) {
  behind_bytes behind;
  const auto index = tables.instance();
  if (!index) {
    return behind;
  }
  for (const std::string& device : standing_tracker::devices(standing_folder)) {
    const auto tracker = standing_tracker::adopt(standing_folder, device);
    if (!tracker) {
      continue;
    }
    const index::disk_record* disk = disks.by_tracker((*tracker)->life());
    if (disk != nullptr && index::covers(**tracker, *index, *disk)) {
      behind[disk->id] = (*tracker)->behind().bytes();
    }
  }
  return behind;
}

/// How far the index is behind a disk, by its tracker where it has one, else by
/// its record.
std::string state_of(const index::disk_record& disk,
                     const behind_bytes& followed) {
  const auto found = followed.find(disk.id);
  if (found == followed.end()) {
    return freshness(disk);
  }
  return found->second == 0 ? "fresh" : "behind";
}

struct seen_disks {
  std::map<std::string, std::uint64_t> states;  ///< how many of each
  std::uint64_t followed = 0;
  std::uint64_t behind = 0;       ///< bytes
  std::uint64_t oldest_scan = 0;  ///< seconds; 0: one never was
  std::uint64_t paused = 0;
};

seen_disks look_at(const index::disk_table& disks,
                   std::size_t lost,
                   const index::paused_disks& pauses,
                   const behind_bytes& followed) {
  seen_disks seen;
  seen.followed = followed.size();
  for (const auto& [disk, bytes] : followed) {
    seen.behind += bytes;
  }
  bool first = true;
  for (const index::disk_record& disk : disks.all()) {
    ++seen.states[state_of(disk, followed)];
    seen.paused += pauses.covers(disk.path) ? 1U : 0U;
    seen.oldest_scan =
        first ? disk.scanned_at : std::min(seen.oldest_scan, disk.scanned_at);
    first = false;
  }
  if (lost != 0) {
    seen.states[lost_state] = lost;
  }
  return seen;
}

std::string states_text(const seen_disks& seen) {
  std::string text;
  for (const auto& [state, count] : seen.states) {
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, state);
  }
  return text.empty() ? "none" : text;
}

void print_stat(const index::store_counts& counts,
                std::uint64_t blocks,
                const seen_disks& seen,
                std::size_t max_followed) {
  const std::uint64_t data = blocks * block_bytes;
  std::cout << fmt::format(
      "disks          {} ({})\n"
      "followed       {} of at most {}, {} behind\n"
      "paused         {}\n"
      "oldest scan    {}\n"
      "data           {}, {} blocks\n"
      "duplicates     {:.1f} % of the blocks\n"
      "can be found   {} places, {} whole extents\n"
      "size           {}, {:.2f} % of the data\n"
      "free in it     {}: written next, never given back\n"
      "damaged values {}\n",
      counts.disks,
      states_text(seen),
      seen.followed,
      max_followed,
      human_bytes(seen.behind),
      seen.paused,
      time_text(seen.oldest_scan),
      human_bytes(data),
      blocks,
      percent_of(blocks - std::min(blocks, counts.tags), blocks),
      counts.pairs,
      counts.extents,
      human_bytes(counts.file_bytes),
      percent_of(counts.file_bytes, data),
      human_bytes(counts.free_bytes),
      counts.damaged_values);
}

result<index::holdings> holdings_of_disk(index::store& tables,
                                         const std::string& path) {
  const auto disks = tables.disks();
  if (!disks) {
    return disks.error();
  }
  const index::disk_record* disk = disks->by_path(path);
  if (disk == nullptr) {
    return error(errc::not_found, path + " is not indexed");
  }
  return index::find_holdings_of(tables, disk->id, &stop_asked());
}

}  // namespace

const char* freshness(const index::disk_record& disk) {
  const auto now = index::identify(disk.path);
  if (!now) {
    return "gone";
  }
  if (!disk.complete) {
    return "not scanned";
  }
  if (now->name != disk.identity) {
    return "replaced";
  }
  if (!now->is_file) {
    return "scanned";  // whether it was written since, a device does not tell
  }
  return now->changed_at == disk.changed_at ? "fresh" : "changed";
}

int run_index_list(index::store& tables, const index_command& command) {
  const auto disks = tables.disks();
  const auto lost = tables.lost_paths();
  const auto pauses = tables.pauses().read();
  if (!disks || !lost || !pauses) {
    return index_failed(!disks  ? disks.error()
                        : !lost ? lost.error()
                                : pauses.error());
  }
  nlohmann::json list = nlohmann::json::array();
  const behind_bytes followed = followed_disks(tables, *disks);
  const auto show = [&](const index::disk_record& disk,
                        const std::string& state) {
    const auto behind = followed.find(disk.id);
    const bool is_followed = behind != followed.end();
    list.push_back({{"path", disk.path},
                    {"id", disk.id},
                    {"bytes", disk.size},
                    {"identity", disk.identity},
                    {"data_blocks", disk.data_blocks},
                    {"zero_blocks", disk.zero_blocks},
                    {"scanned_at", disk.scanned_at},
                    {"by_itself", disk.by_itself},
                    {"paused", pauses->covers(disk.path)},
                    {"followed", is_followed},
                    {"behind_bytes", is_followed ? behind->second : 0},
                    {"state", state}});
    if (!command.json) {
      std::cout << fmt::format("{:>12}  {:>12} data  {:16}  {:11}  {}{}{}\n",
                               human_bytes(disk.size),
                               human_bytes(disk.data_blocks * block_bytes),
                               time_text(disk.scanned_at),
                               state,
                               disk.path,
                               disk.by_itself ? "  (by itself)" : "",
                               pauses->covers(disk.path) ? "  (paused)" : "");
    }
  };
  for (const index::disk_record& disk : disks->all()) {
    show(disk, state_of(disk, followed));
  }
  for (const std::string& path : *lost) {
    index::disk_record disk;
    disk.path = path;
    show(disk, lost_state);
  }
  if (command.json) {
    std::cout << dump(list, 2) << '\n';
  } else if (list.empty()) {
    std::cout << "nothing is indexed\n";
  } else {
    std::cout << fmt::format(
        "{} of these are followed; no more than {} are (index.max_followed)\n",
        followed.size(),
        command.max_followed);
  }
  return exit_ok;
}

namespace {

/// What `index stat` tells.
struct index_stat {
  index::store_counts counts;
  std::uint64_t blocks = 0;  ///< of data, those that are there twice as well
  seen_disks seen;
  bool all_paused = false;
};

result<index_stat> read_stat(index::store& tables) {
  const auto counts = tables.count();
  const auto disks = tables.disks();
  const auto lost = tables.lost_paths();
  const auto pauses = tables.pauses().read();
  if (!counts || !disks || !lost || !pauses) {
    return !counts  ? counts.error()
           : !disks ? disks.error()
           : !lost  ? lost.error()
                    : pauses.error();
  }
  index_stat stat{*counts, 0, {}, pauses->all};
  for (const index::disk_record& disk : disks->all()) {
    stat.blocks += disk.data_blocks;
  }
  stat.seen =
      look_at(*disks, lost->size(), *pauses, followed_disks(tables, *disks));
  return stat;
}

nlohmann::json to_json(const index_stat& stat, std::size_t max_followed) {
  const index::store_counts& counts = stat.counts;
  return {{"disks", counts.disks},
          {"states", stat.seen.states},
          {"followed", stat.seen.followed},
          {"max_followed", max_followed},
          {"behind_bytes", stat.seen.behind},
          {"paused", stat.seen.paused},
          {"all_paused", stat.all_paused},
          {"oldest_scan", stat.seen.oldest_scan},
          {"data_blocks", stat.blocks},
          {"distinct_blocks", counts.tags},
          {"kept_blocks", counts.pairs},
          {"whole_extents", counts.extents},
          {"file_bytes", counts.file_bytes},
          {"free_bytes", counts.free_bytes},
          {"map_bytes", counts.map_bytes},
          {"damaged_values", counts.damaged_values}};
}

}  // namespace

result<nlohmann::json> index_numbers(index::store& tables,
                                     std::size_t max_followed) {
  const auto stat = read_stat(tables);
  return stat ? result<nlohmann::json>(to_json(*stat, max_followed))
              : result<nlohmann::json>(stat.error());
}

int run_index_stat(index::store& tables, const index_command& command) {
  const auto stat = read_stat(tables);
  if (!stat) {
    return index_failed(stat.error());
  }
  if (command.json) {
    std::cout << dump(to_json(*stat, command.max_followed), 2) << '\n';
  } else {
    print_stat(stat->counts, stat->blocks, stat->seen, command.max_followed);
  }
  return exit_ok;
}

int run_index_check(index::store& tables, const index_command& command) {
  const auto report =
      index::check_index(tables, !command.dry_run, &stop_asked());
  if (!report) {
    return index_failed(report.error());
  }
  const std::pair<const char*, std::uint64_t> found[] = {
      {"groups", report->groups},
      {"damaged_groups", report->damaged_groups},
      {"ownerless_groups", report->ownerless_groups},
      {"buckets", report->buckets},
      {"damaged_buckets", report->damaged_buckets},
      {"pairs", report->pairs},
      {"stale_pairs", report->stale_pairs},
      {"missing_pairs", report->missing_pairs},
      {"extents", report->extents},
      {"stale_extents", report->stale_extents},
      {"missing_extents", report->missing_extents}};
  nlohmann::json all{{"repaired", !command.dry_run && report->faults() != 0},
                     {"to_be_scanned", report->to_be_scanned}};
  for (const auto& [name, count] : found) {
    all[name] = count;
    if (!command.json) {
      std::string words = name;
      std::replace(words.begin(), words.end(), '_', ' ');
      std::cout << fmt::format("{:17} {:>12}\n", words, count);
    }
  }
  if (command.json) {
    std::cout << dump(all, 2) << '\n';
  } else {
    std::cout << (report->faults() == 0 ? "all is well\n"
                  : command.dry_run     ? "not repaired\n"
                                        : "repaired\n");
    for (const std::string& path : report->to_be_scanned) {
      std::cout << "to be scanned again: " << path << '\n';
    }
  }
  const bool whole = report->faults() == 0 ||
                     (!command.dry_run && report->to_be_scanned.empty());
  return whole ? exit_ok : exit_failed;
}

int run_index_find(const std::shared_ptr<index::store>& tables,
                   const index_command& command) {
  index::hash_index lookup(tables);
  const auto sum =
      command.disk.empty()
          ? index::find_holdings(lookup, command.paths.front(), &stop_asked())
          : holdings_of_disk(*tables, absolute_path(command.disk));
  if (!sum) {
    return index_failed(sum.error());
  }
  nlohmann::json donors = nlohmann::json::array();
  for (const auto& [donor, blocks] : sum->by_donor) {
    donors.push_back({{"path", lookup.donor_path(donor)}, {"blocks", blocks}});
  }
  if (command.json) {
    std::cout << dump({{"bytes", sum->bytes},
                       {"zero_blocks", sum->zero},
                       {"found_blocks", sum->found},
                       {"missing_blocks", sum->missing},
                       {"runs", sum->runs},
                       {"whole_extents", sum->whole_extents},
                       {"donors", donors}},
                      2)
              << '\n';
    return exit_ok;
  }
  const std::uint64_t all = sum->zero + sum->found + sum->missing;
  std::cout << fmt::format(
      "zero     {:>10} blocks {:5.1f} %\n"
      "found    {:>10} blocks {:5.1f} %, in {} runs, {} extents as a whole\n"
      "missing  {:>10} blocks {:5.1f} %\n",
      sum->zero,
      percent_of(sum->zero, all),
      sum->found,
      percent_of(sum->found, all),
      sum->runs,
      sum->whole_extents,
      sum->missing,
      percent_of(sum->missing, all));
  for (const auto& [donor, blocks] : sum->by_donor) {
    std::cout << fmt::format(
        "{:>19} blocks in {}\n", blocks, lookup.donor_path(donor));
  }
  return exit_ok;
}

}  // namespace teleport
