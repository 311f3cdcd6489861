// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/fate_asker.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <system_error>
#include <utility>

#include <sys/wait.h>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/process.hpp"
#include "libteleport/base/spawn.hpp"
#include "xl-teleport/setup/guest_lock.hpp"

namespace teleport {

namespace {

/// Of one attempt: the guest's lock is held for so long.
constexpr std::chrono::seconds ask_limit{10};

/// Beside teleportd's own program, as it is installed; else in PATH.
std::string xl_teleport() {
  std::error_code unknown;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", unknown);
  const auto beside = own.parent_path() / "xl-teleport";
  return !unknown && std::filesystem::exists(beside, unknown)
             ? beside.string()
             : find_program("xl-teleport");
}

std::vector<journal_entry> waiting_entries(const settings& options) {
  const auto entries = journal::open(options.journal_path());
  auto all = entries ? entries->all(journal_role::source)
                     : result<std::vector<journal_entry>>(entries.error());
  if (!all) {
    log_warning(all.error().context);
    return {};
  }
  std::erase_if(*all, [&](const journal_entry& entry) {
    return !is_to_be_asked(entry) ||
           is_guest_locked(options.run_path, entry.uuid);
  });
  return std::move(*all);
}

void ask(const journal_entry& entry, const std::string& settings_file) {
  log_info(fmt::format("the teleport of {} to {} is {}: taken up again",
                       entry.guest,
                       entry.peer,
                       name_of(entry.state)));
  spawn_options program;
  program.program = xl_teleport();
  program.argv = {"xl-teleport",
                  "--config=" + settings_file,
                  fmt::format("--ask-limit={}", ask_limit.count()),
                  "--recover",
                  entry.uuid};
  const auto pid = spawn(std::move(program));
  if (!pid) {
    log_error(pid.error().context);
    return;
  }
  const int status = wait_until_exit(*pid);
  log_info(fmt::format("the teleport of {}: exit code {}",
                       entry.guest,
                       WIFEXITED(status) ? WEXITSTATUS(status) : -1));
}

}  // namespace

std::vector<std::string> asking_plan::due(
    const std::vector<std::string>& waiting, clock::time_point now) {
  std::erase_if(attempts_, [&](const auto& one) {
    return std::ranges::find(waiting, one.first) == waiting.end();
  });
  std::vector<std::string> ids;
  for (const std::string& id : waiting) {
    const auto [it, is_new] =
        attempts_.try_emplace(id, attempt{now, look_interval});
    if (now < it->second.next) {
      continue;
    }
    it->second.next = now + it->second.pause;
    it->second.pause = std::min(2 * it->second.pause, longest_pause);
    ids.push_back(id);
  }
  return ids;
}

bool is_to_be_asked(const journal_entry& entry) noexcept {
  return entry.role == journal_role::source &&
         (entry.state == journal_state::go ||
          entry.state == journal_state::moved);
}

fate_asker::fate_asker(event_loop& loop,
                       settings options,
                       std::string settings_file)
    : loop_(loop),
      options_(std::move(options)),
      settings_file_(std::move(settings_file)) {}

void fate_asker::start() {
  loop_.work(
      [this] {
        ask_all();
        return true;
      },
      [this](bool) {
        timer_ = loop_.after(asking_plan::look_interval, [this] { start(); });
      });
}

void fate_asker::ask_all() {
  const auto entries = waiting_entries(options_);
  std::vector<std::string> ids;
  std::ranges::transform(entries, std::back_inserter(ids), &journal_entry::id);
  const auto due = plan_.due(ids, asking_plan::clock::now());
  for (const journal_entry& entry : entries) {
    if (std::ranges::find(due, entry.id) != due.end()) {
      ask(entry, settings_file_);
    }
  }
}

}  // namespace teleport
