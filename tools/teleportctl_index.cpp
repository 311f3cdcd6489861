// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl_index.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <memory>
#include <system_error>

#include <glob.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "index/hash_index.hpp"
#include "index/holdings.hpp"
#include "index/identity.hpp"
#include "index/scanner.hpp"
#include "index/store.hpp"
#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

constexpr int exit_ok = 0;
constexpr int exit_failed = 1;
constexpr int exit_usage = 2;

/// Smaller files in a folder are not images.
constexpr std::uint64_t smallest_image = 1_MiB;

std::atomic<bool> stop_asked = false;
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void ask_to_stop(int /*signal*/) {
  stop_asked = true;
}

int failed(const error& cause) {
  std::cerr << "teleportctl: " << cause.context << '\n';
  return exit_failed;
}

std::string mib(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB",
                     static_cast<double>(bytes) / static_cast<double>(1_MiB));
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0
             ? 0
             : 100 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string absolute(const std::string& path) {
  return std::filesystem::absolute(path).lexically_normal();
}

/// The images in a folder, by name; what is no image is left out.
std::vector<std::string> images_in(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.is_regular_file(ignored)) {
      const std::uint64_t size = entry.file_size(ignored);
      if (!ignored && size >= smallest_image && size % sector_bytes == 0) {
        found.push_back(absolute(entry.path()));
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Patterns and folders to the disks they mean, in the user's order.
result<std::vector<std::string>> expand(
    const std::vector<std::string>& patterns) {
  std::vector<std::string> paths;
  const auto add = [&](const std::string& path) {
    if (std::find(paths.begin(), paths.end(), path) == paths.end()) {
      paths.push_back(path);
    }
  };
  for (const std::string& pattern : patterns) {
    glob_t matches{};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet
    const int code = ::glob(pattern.c_str(), GLOB_NOCHECK, nullptr, &matches);
    for (std::size_t i = 0; code == 0 && i < matches.gl_pathc; ++i) {
      const std::string path = absolute(matches.gl_pathv[i]);
      std::error_code ignored;
      if (!std::filesystem::is_directory(path, ignored)) {
        add(path);
        continue;
      }
      for (const std::string& image : images_in(path)) {
        add(image);
      }
    }
    ::globfree(&matches);
    if (code != 0) {
      return error(errc::bad_input, "cannot read the pattern " + pattern);
    }
  }
  if (paths.empty()) {
    return error(errc::not_found, "no disk images in what was named");
  }
  return paths;
}

void show_progress(const std::string& path, const index::scan_progress& now) {
  std::cerr << fmt::format("\r{} {:.0f} % of {} ",
                           path,
                           share(now.done_bytes, now.disk_bytes),
                           mib(now.disk_bytes))
            << std::flush;
}

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

int scan_paths(index::store& tables,
               const index_command& command,
               const std::vector<std::string>& paths) {
  (void)std::signal(SIGINT, ask_to_stop);
  (void)std::signal(SIGTERM, ask_to_stop);
  const bool watched = !command.json && ::isatty(STDERR_FILENO) == 1;
  int exit_code = exit_ok;
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& path : paths) {
    if (stop_asked) {
      return exit_failed;
    }
    index::scan_options how;
    how.threads = command.threads;
    how.bytes_per_second = command.mib_per_second * 1_MiB;
    how.cancel = &stop_asked;
    if (watched) {
      how.progress = [&](const index::scan_progress& now) {
        show_progress(path, now);
      };
    }
    const result<index::scan_report> report =
        index::scan_disk(tables, path, how);
    if (watched) {
      std::cerr << "\r\033[K";
    }
    if (!report) {
      const error cause = report.error();
      list.push_back({{"path", path}, {"error", cause.context}});
      exit_code = failed(cause);
      continue;
    }
    list.push_back(to_json(*report));
    if (!command.json) {
      std::cout << fmt::format(
          "{}: {} read in {:.1f} s, {} of data, {} of zeros\n",
          path,
          mib(report->read_bytes),
          report->seconds,
          mib(report->disk.data_blocks * block_bytes),
          mib(report->disk.zero_blocks * block_bytes));
    }
  }
  if (command.json) {
    std::cout << list.dump(2) << '\n';
  }
  return exit_code;
}

int run_add(index::store& tables, const index_command& command) {
  const auto paths = expand(command.paths);
  if (!paths) {
    return failed(paths.error());
  }
  // All names first: a typo shows at once, not after an hour of scanning.
  std::vector<std::string> added;
  int exit_code = exit_ok;
  for (const std::string& path : *paths) {
    const auto disk = index::add_disk(tables, path);
    if (disk) {
      added.push_back(path);
    } else {
      exit_code = failed(disk.error());
    }
  }
  const int scanned = scan_paths(tables, command, added);
  return scanned != exit_ok ? scanned : exit_code;
}

int run_scan(index::store& tables, const index_command& command) {
  const auto disks = tables.disks();
  if (!disks) {
    return failed(disks.error());
  }
  std::vector<std::string> paths;
  for (const index::disk_record& disk : disks->all()) {
    paths.push_back(disk.path);
  }
  if (!command.all && !command.paths.empty()) {
    const auto named = expand(command.paths);
    if (!named) {
      return failed(named.error());
    }
    paths = *named;
    for (const std::string& path : paths) {
      if (disks->by_path(path) == nullptr) {
        return failed({errc::not_found,
                       path + " is not indexed; 'teleportctl index add' it"});
      }
    }
  }
  return scan_paths(tables, command, paths);
}

int run_remove(index::store& tables, const index_command& command) {
  int exit_code = exit_ok;
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& name : command.paths) {
    const std::string path = absolute(name);
    const auto disks = tables.disks();
    if (!disks) {
      return failed(disks.error());
    }
    const index::disk_record* disk = disks->by_path(path);
    if (disk == nullptr) {
      exit_code = failed({errc::not_found, path + " is not indexed"});
      continue;
    }
    const auto lock = tables.lock_disk(disk->id);
    const result<void> gone =
        lock ? tables.remove_disk(disk->id) : result<void>(lock.error());
    if (!gone) {
      exit_code = failed(in_context(path, gone.error()));
      continue;
    }
    list.push_back(path);
    if (!command.json) {
      std::cout << path << ": no longer indexed\n";
    }
  }
  if (command.json) {
    std::cout << list.dump(2) << '\n';
  }
  return exit_code;
}

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

int run_list(index::store& tables, const index_command& command) {
  const auto disks = tables.disks();
  if (!disks) {
    return failed(disks.error());
  }
  nlohmann::json list = nlohmann::json::array();
  for (const index::disk_record& disk : disks->all()) {
    const char* state = freshness(disk);
    list.push_back({{"path", disk.path},
                    {"id", disk.id},
                    {"bytes", disk.size},
                    {"identity", disk.identity},
                    {"data_blocks", disk.data_blocks},
                    {"zero_blocks", disk.zero_blocks},
                    {"scanned_at", disk.scanned_at},
                    {"state", state}});
    if (!command.json) {
      std::cout << fmt::format("{:>12}  {:>12} data  {:16}  {:11}  {}\n",
                               mib(disk.size),
                               mib(disk.data_blocks * block_bytes),
                               time_text(disk.scanned_at),
                               state,
                               disk.path);
    }
  }
  if (command.json) {
    std::cout << list.dump(2) << '\n';
  } else if (disks->all().empty()) {
    std::cout << "nothing is indexed\n";
  }
  return exit_ok;
}

int run_stat(index::store& tables, const index_command& command) {
  const auto counts = tables.count();
  const auto disks = tables.disks();
  if (!counts || !disks) {
    return failed(counts ? disks.error() : counts.error());
  }
  std::uint64_t blocks = 0;
  for (const index::disk_record& disk : disks->all()) {
    blocks += disk.data_blocks;
  }
  const std::uint64_t data = blocks * block_bytes;
  if (command.json) {
    std::cout << nlohmann::json{{"disks", counts->disks},
                                {"data_blocks", blocks},
                                {"kept_blocks", counts->pairs},
                                {"whole_extents", counts->extents},
                                {"file_bytes", counts->file_bytes},
                                {"map_bytes", counts->map_bytes},
                                {"damaged_values", counts->damaged_values}}
                     .dump(2)
              << '\n';
    return exit_ok;
  }
  std::cout << fmt::format(
      "disks          {}\n"
      "data           {}, {} blocks\n"
      "can be found   {} blocks ({:.1f} % stand elsewhere too)\n"
      "whole extents  {}\n"
      "size           {}, {:.2f} % of the data\n"
      "damaged values {}\n",
      counts->disks,
      mib(data),
      blocks,
      counts->pairs,
      share(blocks - std::min(blocks, counts->pairs), blocks),
      counts->extents,
      mib(counts->file_bytes),
      share(counts->file_bytes, data),
      counts->damaged_values);
  return exit_ok;
}

int run_find(const std::shared_ptr<index::store>& tables,
             const index_command& command) {
  (void)std::signal(SIGINT, ask_to_stop);
  (void)std::signal(SIGTERM, ask_to_stop);
  index::hash_index lookup(tables);
  const auto sum =
      index::find_holdings(lookup, command.paths.front(), &stop_asked);
  if (!sum) {
    return failed(sum.error());
  }
  nlohmann::json donors = nlohmann::json::array();
  for (const auto& [donor, blocks] : sum->by_donor) {
    donors.push_back({{"path", lookup.donor_path(donor)}, {"blocks", blocks}});
  }
  if (command.json) {
    std::cout << nlohmann::json{{"bytes", sum->bytes},
                                {"zero_blocks", sum->zero},
                                {"found_blocks", sum->found},
                                {"missing_blocks", sum->missing},
                                {"runs", sum->runs},
                                {"whole_extents", sum->whole_extents},
                                {"donors", donors}}
                     .dump(2)
              << '\n';
    return exit_ok;
  }
  const std::uint64_t all = sum->zero + sum->found + sum->missing;
  std::cout << fmt::format(
      "zero     {:>10} blocks {:5.1f} %\n"
      "found    {:>10} blocks {:5.1f} %, in {} runs, {} extents as a whole\n"
      "missing  {:>10} blocks {:5.1f} %\n",
      sum->zero,
      share(sum->zero, all),
      sum->found,
      share(sum->found, all),
      sum->runs,
      sum->whole_extents,
      sum->missing,
      share(sum->missing, all));
  for (const auto& [donor, blocks] : sum->by_donor) {
    std::cout << fmt::format(
        "{:>19} blocks in {}\n", blocks, lookup.donor_path(donor));
  }
  return exit_ok;
}

}  // namespace

void add_index_commands(CLI::App& app, index_command& command) {
  CLI::App* group = app.add_subcommand(
      "index", "what the disks of this host hold, so it need not be sent");
  group->require_subcommand(1);
  const auto make = [&](const char* name, const char* what) {
    CLI::App* made = group->add_subcommand(name, what);
    made->add_option("--index", command.folder, "folder of the index");
    made->add_flag("--json", command.json, "for programs");
    return made;
  };
  const auto tune = [&](CLI::App* made) {
    made->add_option("--threads", command.threads, "default: one a CPU, 8")
        ->check(CLI::Range(1, 256));
    made->add_option(
            "--limit", command.mib_per_second, "MiB read a second at most")
        ->check(CLI::Range(1, 1'000'000));
  };
  CLI::App* add = make("add", "add disks, images, folders; scan them");
  add->add_option("PATH", command.paths, "disks, patterns or folders")
      ->required();
  tune(add);
  CLI::App* scan = make("scan", "bring the index up to date");
  auto* paths = scan->add_option("PATH", command.paths, "default: all");
  scan->add_flag("--all", command.all, "all that is indexed")->excludes(paths);
  tune(scan);
  CLI::App* remove = make("remove", "take disks out; they are not touched");
  remove->add_option("PATH", command.paths, "as 'index list' shows them")
      ->required();
  command.list = make("list", "what is indexed, and how fresh it is");
  command.stat = make("stat", "how much is indexed, and the index's size");
  CLI::App* find = make("find", "how much of a disk's content is held here");
  find->add_option("FILE", command.paths, "disk or image")
      ->required()
      ->expected(1);
  command.add = add;
  command.scan = scan;
  command.remove = remove;
  command.find = find;
}

int run_index_command(const index_command& command, const settings& options) {
  const std::string folder =
      command.folder.empty() ? options.index_path : absolute(command.folder);
  index::store_options how;
  how.writable = command.add->parsed() || command.scan->parsed() ||
                 command.remove->parsed();
  how.map.max_map_bytes = options.index_max_bytes;
  result<std::unique_ptr<index::store>> opened =
      index::store::open(folder, how);
  if (!opened) {
    return failed(opened.error());
  }
  const std::shared_ptr<index::store> tables = std::move(*opened);
  if (command.add->parsed()) {
    return run_add(*tables, command);
  }
  if (command.scan->parsed()) {
    return run_scan(*tables, command);
  }
  if (command.remove->parsed()) {
    return run_remove(*tables, command);
  }
  if (command.list->parsed()) {
    return run_list(*tables, command);
  }
  if (command.stat->parsed()) {
    return run_stat(*tables, command);
  }
  return command.find->parsed() ? run_find(tables, command) : exit_usage;
}

}  // namespace teleport
