// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/index_scans.cpp: the commands that change what is indexed.

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <optional>

#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "index/scan_text.hpp"
#include "libteleport/base/json_text.hpp"
#include "libteleport/base/terminal.hpp"
#include "libteleport/base/units.hpp"
#include "tools/teleportctl/disk_names.hpp"
#include "tools/teleportctl/index_commands.hpp"
#include "tools/teleportctl/scan_view.hpp"
#include "xl-teleport/setup/scan_job.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

nlohmann::json to_json(const index::scan_report& report) {
  return {{"path", report.disk.path},
          {"id", report.disk.id},
          {"bytes", report.disk.size},
          {"read_bytes", report.read_bytes},
          {"hole_bytes", report.hole_bytes},
          {"data_blocks", report.disk.data_blocks},
          {"zero_blocks", report.disk.zero_blocks},
          {"unreadable_extents", report.unreadable_extents},
          {"changed_groups", report.changed_groups},
          {"seconds", report.seconds}};
}

/// While this lives, Ctrl-C ends the process at once: during the wait there is
/// nothing to clean up.
class ctrl_c_ends {
 public:
  ctrl_c_ends() : before_(std::signal(SIGINT, SIG_DFL)) {}
  ctrl_c_ends(const ctrl_c_ends&) = delete;
  ctrl_c_ends& operator=(const ctrl_c_ends&) = delete;
  ctrl_c_ends(ctrl_c_ends&&) = delete;
  ctrl_c_ends& operator=(ctrl_c_ends&&) = delete;
  ~ctrl_c_ends() { (void)std::signal(SIGINT, before_); }

 private:
  void (*before_)(int);
};

/// Waits for another process that scans the disk: teleportd, as a rule, which
/// has seen that there is a new one.
///
/// @return whether it has brought the record up to date
bool scanned_by_other(index::store& tables, const std::string& path) {
  std::cerr << path << ": another process scans it; waiting\n";
  const auto before = tables.disks();
  const auto* known = before ? before->by_path(path) : nullptr;
  if (known == nullptr) {
    return false;
  }
  const std::uint64_t epoch = known->epoch;
  const ctrl_c_ends while_waiting;
  if (!tables.wait_for_disk(known->id)) {
    return false;
  }
  const auto after = tables.disks();
  known = after ? after->by_path(path) : nullptr;
  return known != nullptr && known->complete && known->epoch > epoch;
}

void end_job(std::optional<scan_job>& told,
             const result<index::scan_report>& report) {
  if (told) {
    told->end(report ? result<void>() : result<void>(report.error()),
              report ? report->read_bytes : 0,
              report ? report->seconds : 0);
  }
}

int scan_paths(index::store& tables,
               const index_command& command,
               const std::vector<std::string>& paths) {
  int exit_code = exit_ok;
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& path : paths) {
    if (stop_asked()) {
      exit_code = exit_failed;
      break;
    }
    // A disk that is paused during its scan waits. A disk that was paused
    // before is skipped, so that the other disks do not wait for it.
    const auto pauses = tables.pauses().read();
    if (pauses && pauses->covers(path)) {
      std::cerr << path << ": paused, not scanned\n";
      list.push_back({{"path", path}, {"paused", true}});
      continue;
    }
    index::scan_options how;
    how.threads = command.threads;
    how.bytes_per_second = command.mib_per_second * 1_MiB;
    how.cancel = &stop_asked();
    scan_view view(command.json               ? scan_view::style::none
                   : is_screen(STDERR_FILENO) ? scan_view::style::terminal
                                              : scan_view::style::lines,
                   path);
    std::optional<scan_job> told;
    if (command.folder.empty()) {  // this host's own index
      told.emplace(command.config, path, /*by_teleportd=*/false);
    }
    how.progress = [&](const index::scan_progress& now) {
      view.show(now);
      if (told) {
        told->note({now.done_bytes,
                    now.disk_bytes,
                    now.seconds,
                    now.paused,
                    index::time_left(now, now.seconds)});
      }
    };
    auto report = index::scan_disk(tables, path, how);
    if (!report && report.error().code == errc::busy) {
      if (scanned_by_other(tables, path)) {
        end_job(told, index::scan_report());
        list.push_back({{"path", path}, {"scanned_by_other", true}});
        continue;
      }
      report = index::scan_disk(tables, path, how);
    }
    view.end();
    end_job(told, report);
    if (!report) {
      const error cause = report.error();
      list.push_back({{"path", path}, {"error", cause.context}});
      exit_code = index_failed(cause);
      continue;
    }
    list.push_back(to_json(*report));
    if (!command.json) {
      std::cout << fmt::format(
          "{}: {} read in {:.1f} s, {} of data, {} of zeros\n",
          path,
          human_bytes(report->read_bytes),
          report->seconds,
          human_bytes(report->disk.data_blocks * block_bytes),
          human_bytes(report->disk.zero_blocks * block_bytes));
    }
  }
  if (command.json) {
    std::cout << dump(list, 2) << '\n';
  }
  return exit_code;
}

result<void> remove_disk(index::store& tables, const index::disk_record& disk) {
  const auto lock = tables.lock_disk(disk.id);
  if (!lock) {
    return lock.error();
  }
  return tables.remove_disk(disk.id);
}

/// A disk of an index that was lost, which no scan has added again yet.
result<void> forget_lost(index::store& tables, const std::string& path) {
  const auto lost = tables.lost_paths();
  if (!lost) {
    return lost.error();
  }
  if (std::find(lost->begin(), lost->end(), path) == lost->end()) {
    return error(errc::not_found, "not indexed");
  }
  return tables.forget_path(path);
}

}  // namespace

int run_index_add(index::store& tables, const index_command& command) {
  const auto paths = disks_named(command.paths);
  if (!paths) {
    return index_failed(paths.error());
  }
  // Resolves all names before the first scan: a typo shows at once, not after
  // an hour.
  std::vector<std::string> added;
  int exit_code = exit_ok;
  for (const std::string& path : *paths) {
    const auto disk = index::add_disk(tables, path);
    if (disk) {
      added.push_back(path);
    } else {
      exit_code = index_failed(disk.error());
    }
  }
  const int scanned = scan_paths(tables, command, added);
  return scanned != exit_ok ? scanned : exit_code;
}

int run_index_scan(index::store& tables, const index_command& command) {
  const auto disks = tables.disks();
  if (!disks) {
    return index_failed(disks.error());
  }
  std::vector<std::string> paths;
  for (const index::disk_record& disk : disks->all()) {
    paths.push_back(disk.path);
  }
  const auto lost = tables.lost_paths();
  if (!lost) {
    return index_failed(lost.error());
  }
  paths.insert(paths.end(), lost->begin(), lost->end());
  if (!command.all && !command.paths.empty()) {
    const auto named = disks_named(command.paths);
    if (!named) {
      return index_failed(named.error());
    }
    for (const std::string& path : *named) {
      if (std::find(paths.begin(), paths.end(), path) == paths.end()) {
        return index_failed(
            {errc::not_found,
             path + " is not indexed; 'teleportctl index add' it"});
      }
    }
    paths = *named;
  }
  return scan_paths(tables, command, paths);
}

int run_index_remove(index::store& tables, const index_command& command) {
  int exit_code = exit_ok;
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& name : command.paths) {
    const std::string path = absolute_path(name);
    const auto disks = tables.disks();
    if (!disks) {
      return index_failed(disks.error());
    }
    const index::disk_record* disk = disks->by_path(path);
    const result<void> gone = disk != nullptr ? remove_disk(tables, *disk)
                                              : forget_lost(tables, path);
    if (!gone) {
      exit_code = index_failed(in_context(path, gone.error()));
      continue;
    }
    list.push_back(path);
    if (!command.json) {
      std::cout << path << ": no longer indexed\n";
    }
  }
  if (command.json) {
    std::cout << dump(list, 2) << '\n';
  }
  return exit_code;
}

}  // namespace teleport
