// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/finished_teleports.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "libteleport/base/folder.hpp"
#include "libteleport/base/lock_file.hpp"
#include "xl-teleport/setup/lock_names.hpp"

namespace teleport {

namespace {

namespace fs = std::filesystem;

struct dated_entry {
  fs::file_time_type written;
  std::string id;
  journal_role role;
};

/// @return false: another process has removed it meanwhile
bool date(dated_entry& entry, const journal& entries) {
  std::error_code failed;
  entry.written =
      fs::last_write_time(entries.path_of(entry.id, entry.role), failed);
  return !failed;
}

}  // namespace

bool is_finished(const journal_entry& entry) noexcept {
  switch (entry.state) {
    case journal_state::home:
    case journal_state::cleared:
      return true;
    case journal_state::running:
    case journal_state::abandoned:
      return entry.disks.empty();
    default:
      return false;
  }
}

result<void> remove_finished(const settings& config,
                             const journal_lifetime& lifetime) {
  auto entries = journal::open(config.journal_path());
  if (!entries) {
    return entries.error();
  }
  std::vector<dated_entry> finished;
  for (const journal_role role :
       {journal_role::source, journal_role::destination}) {
    const auto all = entries->all(role);
    if (!all) {
      return all.error();
    }
    for (const journal_entry& entry : *all) {
      dated_entry dated{{}, entry.id, role};
      if (is_finished(entry) && date(dated, *entries)) {
        finished.push_back(std::move(dated));
      }
    }
  }
  std::ranges::sort(finished, std::greater(), &dated_entry::written);
  const auto oldest = fs::file_time_type::clock::now() - lifetime.age;
  result<void> outcome;
  for (std::size_t i = 0; i < finished.size(); ++i) {
    if (i < lifetime.entries && finished[i].written >= oldest) {
      continue;
    }
    const auto removed = entries->remove(finished[i].id, finished[i].role);
    if (!removed && outcome) {
      outcome = removed;
    }
  }
  return outcome;
}

void remove_free_locks(const settings& config) {
  const auto files = files_in(config.run_path, ".lock");
  if (!files) {
    return;  // no lock was ever made
  }
  for (const std::string& file : *files) {
    const std::string name = fs::path(file).stem();
    if (is_teleport_id(name) || name.starts_with(guest_lock_prefix) ||
        name.starts_with(queue_lock_prefix)) {
      auto lock = take_lock(config.run_path, name);
      if (lock) {
        remove_lock(config.run_path, name, std::move(*lock));
      }
    }
  }
}

}  // namespace teleport
