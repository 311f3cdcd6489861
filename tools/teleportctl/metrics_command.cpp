// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/metrics_command.hpp"

#include <algorithm>
#include <iostream>
#include <memory>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "index/store.hpp"
#include "libteleport/base/durable_file.hpp"
#include "libteleport/migrate/journal.hpp"
#include "tools/teleportctl/damaged_entries.hpp"
#include "tools/teleportctl/disk_names.hpp"
#include "tools/teleportctl/host_metrics.hpp"
#include "tools/teleportctl/index_commands.hpp"
#include "tools/teleportctl/kept_items.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/job_files.hpp"
#include "xl-teleport/source/unsettled.hpp"

namespace teleport {

namespace {

/// The node exporter is another user.
constexpr mode_t readable_by_all = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;

result<std::vector<ended_job>> ended_jobs(const settings& options) {
  const auto history = job_history(options);
  if (!history) {
    return history.error();
  }
  std::vector<ended_job> ended;
  for (const job& one : *history) {
    switch (state_now(one)) {
      case job_state::under_way:
        break;
      case job_state::ended:
        ended.push_back({one, one.outcome});
        break;
      case job_state::cut_short:
        ended.push_back({one, std::string(name_of(job_state::cut_short))});
        break;
    }
  }
  return ended;
}

result<journal_numbers> read_journal(const settings& options) {
  const auto all = journalled_teleports(options.journal_path());
  if (!all) {
    return all.error();
  }
  journal_numbers numbers;
  numbers.unsettled =
      static_cast<std::size_t>(std::ranges::count_if(*all, is_unsettled));
  numbers.damaged = damaged_entries(options.journal_path()).size();
  return numbers;
}

result<kept_numbers> read_kept(const settings& options) {
  const auto items = look_at_kept(options);
  if (!items) {
    return items.error();
  }
  kept_numbers numbers;
  numbers.disks = items->size();
  for (const kept_item& item : *items) {
    numbers.bytes += item.held.value_or(0);
  }
  return numbers;
}

result<nlohmann::json> read_index(const settings& options) {
  index::store_options how;
  how.map.max_map_bytes = options.index_max_bytes;
  const auto tables = index::store::open(options.index_path, how);
  if (!tables && tables.error().code == errc::not_found) {
    return nlohmann::json();
  }
  return tables ? index_numbers(**tables, options.index_max_followed)
                : result<nlohmann::json>(tables.error());
}

/// Says on standard error why a part is not told.
template <class Value>
void complain(std::string_view part, const result<Value>& read) {
  if (!read) {
    std::cerr << "teleportctl: " << part << ": " << read.error().context
              << '\n';
  }
}

}  // namespace

void add_metrics_command(CLI::App& app, metrics_command& read) {
  read.parsed = app.add_subcommand(
      "metrics", "what runs, waits and is kept here, for Prometheus");
  read.parsed
      ->add_option("--output",
                   read.output,
                   "replace FILE, of the node exporter's textfile collector")
      ->type_name("FILE");
}

std::optional<int> run_metrics_command(const metrics_command& read,
                                       const settings& options) {
  if (!read.parsed->parsed()) {
    return std::nullopt;
  }
  const host_numbers now{running_jobs(options),
                         ended_jobs(options),
                         read_journal(options),
                         read_kept(options),
                         read_index(options)};
  complain("jobs", now.running);
  complain("history", now.ended);
  complain("journal", now.journal);
  complain("shadows", now.kept);
  complain("index", now.index);
  const std::string text = metrics_of(now);
  if (read.output.empty()) {
    std::cout << text;
    return exit_ok;
  }
  const auto written =
      replace_file(absolute_path(read.output), text, readable_by_all);
  if (!written) {
    std::cerr << "teleportctl: " << written.error().context << '\n';
    return exit_failed;
  }
  return exit_ok;
}

}  // namespace teleport
