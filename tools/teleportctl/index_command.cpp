// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/index_command.hpp"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <iterator>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "libteleport/base/units.hpp"
#include "tools/teleportctl/disk_names.hpp"
#include "tools/teleportctl/index_commands.hpp"
#include "xl-teleport/setup/command_line.hpp"

namespace teleport {

namespace {

std::atomic<bool> stop_flag = false;
static_assert(std::atomic<bool>::is_always_lock_free);

constexpr std::uint64_t most_threads = 256;
/// Above what any disk gives.
constexpr std::uint64_t most_mib_per_second = 1'000'000;

extern "C" void ask_to_stop(int /*signal*/) {
  stop_flag = true;
}

/// One of the commands but `find`.
struct index_run {
  const CLI::App* parsed = nullptr;
  int (*run)(index::store& tables, const index_command& command) = nullptr;
  bool writes = false;  ///< into the index, which is made if it is not there
};

}  // namespace

int index_failed(const error& cause) {
  std::cerr << "teleportctl: " << cause.context << '\n';
  return exit_failed;
}

const std::atomic<bool>& stop_asked() {
  static const bool caught = std::signal(SIGINT, ask_to_stop) != SIG_ERR &&
                             std::signal(SIGTERM, ask_to_stop) != SIG_ERR;
  (void)caught;
  return stop_flag;
}

void add_index_commands(CLI::App& app, index_command& command) {
  CLI::App* group = app.add_subcommand(
      "index", "what the disks of this host hold, so it need not be sent");
  group->require_subcommand(1);
  const auto make = [&](const char* name, const char* what) {
    CLI::App* made = group->add_subcommand(name, what);
    made->add_option("--index", command.folder, "folder of the index")
        ->type_name("FOLDER");
    made->add_flag("--json", command.json, "for programs");
    return made;
  };
  const auto tune = [&](CLI::App* made) {
    add_number_option(
        *made,
        "--threads",
        {"N", 1, most_threads},
        [&command](std::uint64_t value) {
          command.threads = static_cast<unsigned>(value);
        },
        "readers of the disk; by default one for each CPU, 8 at most");
    add_number_option(
        *made,
        "--limit",
        {"MIB", 1, most_mib_per_second},
        [&command](std::uint64_t value) { command.mib_per_second = value; },
        "reads so many MiB a second at most");
  };
  CLI::App* add = make("add", "add disks, images, volumes; scan them");
  add->add_option(
         "PATH", command.paths, "disks, patterns, folders or volume groups")
      ->required();
  tune(add);
  CLI::App* scan = make("scan", "bring the index up to date");
  auto* paths = scan->add_option("PATH", command.paths, "default: all");
  scan->add_flag("--all", command.all, "all that is indexed")->excludes(paths);
  tune(scan);
  CLI::App* remove = make("remove", "take disks out; they are not touched");
  remove->add_option("PATH", command.paths, "as 'index list' shows them")
      ->required();
  const auto choose = [&](CLI::App* made) {
    auto* named = made->add_option(
        "PATH", command.paths, "disks, patterns, folders or volume groups");
    made->add_flag("--all", command.all, "all disks, as without PATH")
        ->excludes(named);
    return made;
  };
  command.pause = choose(make("pause", "read no disk, or not these, for now"));
  command.resume = choose(make("resume", "let what was paused go on"));
  command.list = make("list", "what is indexed, and how fresh it is");
  command.stat = make("stat", "how much is indexed, and the index's size");
  CLI::App* check = make("check", "walk all of the index, and repair it");
  check->add_flag("--dry-run", command.dry_run, "tell only, repair nothing");
  CLI::App* find =
      make("find",
           "how much of a disk's content is held here: of FILE, or of --disk");
  auto* file = find->add_option_group("what");
  file->require_option(1);
  file->add_option("FILE", command.paths, "disk or image, which is read")
      ->expected(1);
  file->add_option("--disk",
                   command.disk,
                   "an indexed disk, which is not read: what other disks hold")
      ->type_name("PATH");
  command.add = add;
  command.scan = scan;
  command.remove = remove;
  command.check = check;
  command.find = find;
}

int run_index_command(index_command command, const settings& options) {
  command.max_followed = options.index_max_followed;
  command.config = options;
  const std::string folder = command.folder.empty()
                                 ? options.index_path
                                 : absolute_path(command.folder);
  const bool repairs = !command.dry_run;
  const index_run runs[] = {{command.add, run_index_add, true},
                            {command.scan, run_index_scan, true},
                            {command.remove, run_index_remove, true},
                            {command.pause, run_index_pause, true},
                            {command.resume, run_index_resume, false},
                            {command.list, run_index_list, false},
                            {command.stat, run_index_stat, false},
                            {command.check, run_index_check, repairs}};
  const auto* const chosen = std::ranges::find_if(
      runs, [](const index_run& one) { return one.parsed->parsed(); });
  const bool finds = chosen == std::end(runs);
  index::store_options how;
  how.writable = !finds && chosen->writes;
  how.map.max_map_bytes = options.index_max_bytes;
  result<std::unique_ptr<index::store>> opened =
      index::store::open(folder, how);
  if (!opened) {
    return index_failed(opened.error());
  }
  const std::shared_ptr<index::store> tables = std::move(*opened);
  return finds ? run_index_find(tables, command)
               : chosen->run(*tables, command);
}

}  // namespace teleport
