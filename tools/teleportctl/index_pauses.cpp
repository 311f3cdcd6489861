// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/index_pauses.cpp: `teleportctl index pause` and `index
// resume`.

#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "libteleport/base/json_text.hpp"
#include "tools/teleportctl/disk_names.hpp"
#include "tools/teleportctl/index_commands.hpp"

namespace teleport {

namespace {

/// The disks that names stand for, of those in the index or in disks.txt; other
/// files of a named folder are left out.
result<std::vector<std::string>> indexed_among(
    index::store& tables, const std::vector<std::string>& names) {
  const auto disks = tables.disks();
  const auto lost = tables.lost_paths();
  if (!disks || !lost) {
    return disks ? lost.error() : disks.error();
  }
  std::vector<std::string> found;
  for (const std::string& name : names) {
    auto paths = disks_named({name});
    if (!paths) {
      return paths.error();
    }
    std::erase_if(*paths, [&](const std::string& path) {
      return disks->by_path(path) == nullptr &&
             std::ranges::find(*lost, path) == lost->end();
    });
    if (paths->empty()) {
      return error(errc::not_found,
                   name + " is not indexed; see 'teleportctl index list'");
    }
    found.insert(found.end(), paths->begin(), paths->end());
  }
  return found;
}

/// @param change  what the command did, in lines
int print_pauses(index::store& tables,
                 const index_command& command,
                 const std::string& change) {
  const auto now = tables.pauses().read();
  if (!now) {
    return index_failed(now.error());
  }
  if (command.json) {
    std::cout << dump({{"all", now->all}, {"paths", now->paths}}, 2) << '\n';
    return exit_ok;
  }
  std::cout << change;
  if (now->all) {
    std::cout << "paused: all disks\n";
  }
  for (const std::string& path : now->paths) {
    std::cout << "paused: " << path << '\n';
  }
  return exit_ok;
}

/// @param wanted  paths; empty: all
std::string resumed_lines(const index::paused_disks& before,
                          const std::vector<std::string>& wanted) {
  if (wanted.empty()) {
    return before.all || !before.paths.empty() ? "resumed: all disks\n"
                                               : "nothing was paused\n";
  }
  std::string lines;
  for (const std::string& path : wanted) {
    lines += before.covers(path) ? "resumed: " + path + '\n'
                                 : path + ": was not paused\n";
  }
  return lines;
}

}  // namespace

int run_index_pause(index::store& tables, const index_command& command) {
  result<void> done;
  if (command.paths.empty()) {
    done = tables.pauses().pause_all();
  } else {
    const auto paths = indexed_among(tables, command.paths);
    done = paths ? tables.pauses().pause(*paths) : result<void>(paths.error());
  }
  return done ? print_pauses(tables, command, "") : index_failed(done.error());
}

int run_index_resume(index::store& tables, const index_command& command) {
  const auto before = tables.pauses().read();
  const auto paths =
      command.paths.empty()
          ? result<std::vector<std::string>>(std::vector<std::string>())
          : indexed_among(tables, command.paths);
  if (!before || !paths) {
    return index_failed(before ? paths.error() : before.error());
  }
  const auto done = paths->empty() ? tables.pauses().resume_all()
                                   : tables.pauses().resume(*paths);
  return done ? print_pauses(tables, command, resumed_lines(*before, *paths))
              : index_failed(done.error());
}

}  // namespace teleport
