// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/teleports_command.hpp"

#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "libteleport/base/json_text.hpp"
#include "libteleport/base/lock_file.hpp"
#include "libteleport/migrate/journal.hpp"
#include "tools/teleportctl/damaged_entries.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/lock_names.hpp"
#include "xl-teleport/source/host_events.hpp"
#include "xl-teleport/source/unsettled.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

int failed(const error& cause) {
  std::cerr << "teleportctl: " << cause.context << '\n';
  return exit_failed;
}

/// The journal is needed: its answer, or a process of a teleport, is awaited.
bool is_needed(const journal_entry& entry) {
  return entry.state == journal_state::go;
}

std::string line_of(const journal_entry& entry) {
  const bool left = entry.role == journal_role::source;
  return fmt::format("{:9} {} {} {}{}{}",
                     name_of(entry.state),
                     entry.guest,
                     left ? "to" : "from",
                     entry.peer,
                     entry.by_hand ? " (by hand)" : "",
                     is_unsettled(entry)
                         ? "; see 'xl teleport --recover " + entry.guest + "'"
                         : "");
}

nlohmann::json json_of(const journal_entry& entry) {
  return {
      {"id", entry.id},
      {"role", entry.role == journal_role::source ? "source" : "destination"},
      {"state", name_of(entry.state)},
      {"guest", entry.guest},
      {"uuid", entry.uuid},
      {"peer", entry.peer},
      {"by_hand", entry.by_hand},
      {"unsettled", is_unsettled(entry)}};
}

void list_damaged(const settings& options) {
  for (const error& damage : damaged_entries(options.journal_path())) {
    std::cout << "damaged   " << damage.context << '\n';
  }
}

/// Processes of teleports and seeds, each with its guest's lock. Asked by an
/// attempt to lock: the kernel's list names no file of an overlay.
void list_locked(const settings& options) {
  std::error_code missing;
  for (fs::directory_iterator it(options.run_path, missing), end;
       !missing && it != end;
       it.increment(missing)) {
    const std::string name = it->path().stem();
    if (it->path().extension() == ".lock" &&
        name.starts_with(guest_lock_prefix) &&
        !take_lock(options.run_path, name)) {
      std::cout << "underway  a teleport or a seed of the guest "
                << name.substr(guest_lock_prefix.size()) << '\n';
    }
  }
}

int list(const teleports_command& read, const settings& options) {
  const auto all = journalled_teleports(options.journal_path());
  if (!all) {
    return failed(all.error());
  }
  nlohmann::json shown = nlohmann::json::array();
  for (const journal_entry& entry : *all) {
    if ((read.unsettled && !is_unsettled(entry)) ||
        (read.needed && !is_needed(entry))) {
      continue;
    }
    if (read.json) {
      shown.push_back(json_of(entry));
    } else {
      std::cout << line_of(entry) << '\n';
    }
  }
  if (read.json) {
    std::cout << dump(shown, 2) << '\n';
    return exit_ok;
  }
  list_damaged(options);
  if (read.needed) {
    list_locked(options);
  }
  return exit_ok;
}

int tell(const result<host_event_report>& report) {
  if (!report) {
    return failed(report.error());
  }
  for (const std::string& sentence : report->done) {
    std::cout << sentence << '\n';
  }
  for (const std::string& sentence : report->failed) {
    std::cerr << "teleportctl: " << sentence << '\n';
  }
  return report->failed.empty() ? exit_ok : exit_failed;
}

}  // namespace

void add_teleports_commands(CLI::App& app, teleports_command& read) {
  read.list = app.add_subcommand(
      "teleports", "what the journal has: teleports from here and to here");
  read.list->add_flag("--unsettled",
                      read.unsettled,
                      "only those that have not come to their end");
  read.list->add_flag("--needed",
                      read.needed,
                      "only what must not be lost: where a guest runs is not "
                      "known yet, or a process is at work");
  read.list->add_flag("--json", read.json, "for programs");
  auto* guard = app.add_subcommand(
      "guard", "what the units do against a second copy of a guest");
  guard->require_subcommand(1);
  read.after_boot = guard->add_subcommand(
      "boot",
      "set aside the disks of guests that may run elsewhere, before any is "
      "started here");
  read.before_shutdown = guard->add_subcommand(
      "shutdown",
      "destroy suspended guests that may run elsewhere, before they are saved");
}

std::optional<int> run_teleports_command(const teleports_command& read,
                                         const settings& options) {
  if (read.list->parsed()) {
    return list(read, options);
  }
  if (read.after_boot->parsed()) {
    return tell(after_boot(options));
  }
  if (read.before_shutdown->parsed()) {
    return tell(before_shutdown(options));
  }
  return std::nullopt;
}

}  // namespace teleport
