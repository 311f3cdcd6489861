// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/index_keeper.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "index/disk_keeper.hpp"
#include "index/identity.hpp"
#include "index/scan_text.hpp"
#include "index/scanner.hpp"
#include "libteleport/base/lock_file.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/pidfd.hpp"
#include "libteleport/base/spawn.hpp"
#include "tools/teleportd/donor_set.hpp"
#include "tools/teleportd/donor_watch.hpp"
#include "tools/teleportd/keeper_scan.hpp"
#include "tools/teleportd/own_process.hpp"
#include "tools/teleportd/scan_backoff.hpp"
#include "tools/teleportd/whole_scan.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// The set of disks is looked at again without an event after this.
constexpr seconds look_again(60);

/// A guest that starts is many events: look after the last of them.
constexpr seconds flurry(1);

class keeper_process {
 public:
  keeper_process(const settings& options,
                 std::string settings_file,
                 index::store& tables,
                 donor_watch watch)
      : options_(options),
        settings_file_(std::move(settings_file)),
        tables_(tables),
        watch_(std::move(watch)),
        donors_(options) {
    how_.refresh.bytes_per_second = options.index_scan_rate;
    how_.refresh.cancel = &keeper_stop_asked();
  }

  void run();

 private:
  /// A disk of the index and what is done about it.
  struct kept {
    donor who;
    std::optional<index::disk_keeper> keeper;  ///< where a device is followed
    clock::time_point due;
    scan_backoff scans;
    std::string said;  ///< in the log, last
  };
  struct scan {
    pid_t pid = -1;
    unique_fd process;  ///< its pidfd
    std::string path;
    bool ending = false;  ///< told to
  };

  void look();
  void hold(const donor& who);
  void drop(const missing_donor& gone);
  bool rename(const renamed_donor& disk);
  void turn(kept& disk);
  /// A disk that is not followed is to be read whole.
  [[nodiscard]] bool is_due(const kept& disk);
  void follow_some(std::vector<donor>& disks);
  [[nodiscard]] bool still_needs_scan(kept& disk);
  void want_scan(kept& disk);
  void start_scan();
  void end_scan();
  void make_room();
  void see_pauses();
  void say(kept& disk, const std::string& what);
  [[nodiscard]] milliseconds patience() const;

  const settings& options_;
  std::string settings_file_;
  index::store& tables_;
  donor_watch watch_;
  donor_set donors_;
  index::keeper_options how_;
  std::map<std::string, kept> disks_;  ///< by path
  std::deque<std::string> to_scan_;
  scan scan_;
  index::paused_disks paused_;
  std::size_t not_followed_ = 0;  ///< of those with a device
  clock::time_point next_look_;
};

void keeper_process::say(kept& disk, const std::string& what) {
  if (disk.said != what) {
    disk.said = what;
    log_info(fmt::format("index: {}: {}", disk.who.path, what));
  }
}

void keeper_process::hold(const donor& who) {
  auto& disk = disks_[who.path];
  if (disk.who == who) {
    return;
  }
  const bool same_device =
      disk.who.device == who.device && disk.who.guest == who.guest;
  disk.who = who;
  if (who.device.empty()) {
    disk.keeper.reset();
  } else if (!same_device || !disk.keeper) {
    disk.keeper.emplace(
        tables_, index::kept_disk{who.path, who.device, who.guest}, how_);
  }
  disk.scans.reset();
  if (!same_device || who.id == 0) {
    disk.due = clock::time_point();
  }
}

void keeper_process::drop(const missing_donor& gone) {
  const auto lock = tables_.lock_disk(gone.id);
  const auto done =
      lock ? tables_.remove_disk(gone.id) : result<void>(lock.error());
  if (!done) {
    log_warning(fmt::format("index: {}: {}", gone.path, done.error().context));
    return;
  }
  log_info(fmt::format("index: {} is gone", gone.path));
}

/// The record and the marks stay: both name the disk by its id, not its path.
bool keeper_process::rename(const renamed_donor& disk) {
  const auto lock = tables_.lock_disk(disk.id);
  const auto done =
      lock ? tables_.rename_disk(disk.id, disk.to) : result<void>(lock.error());
  if (!done) {
    log_warning(fmt::format("index: {}: not renamed yet to {}: {}",
                            disk.from,
                            disk.to,
                            done.error().context));
    return false;
  }
  log_info(fmt::format("index: {} is {} now", disk.from, disk.to));
  return true;
}

/// Disks that may be read again are looked at at once.
void keeper_process::see_pauses() {
  const auto now = tables_.pauses().read();
  if (!now || *now == paused_) {
    return;
  }
  const auto before = std::exchange(paused_, *now);
  for (auto& [path, disk] : disks_) {
    if (before.covers(path) && !paused_.covers(path)) {
      disk.due = clock::time_point();
    }
  }
}

/// Leaves out what cannot be followed; says so when that changes.
void keeper_process::follow_some(std::vector<donor>& disks) {
  const auto can = standing_tracker::check_host(how_.trackers);
  const std::size_t left =
      follow_at_most(can ? options_.index_max_followed : 0, disks);
  if (left == not_followed_) {
    return;
  }
  not_followed_ = left;
  log_info(
      fmt::format("index: {} disks are scanned and not followed: {}",
                  left,
                  can ? fmt::format("no more than {} are (index.max_followed)",
                                    options_.index_max_followed)
                      : can.error().context));
}

void keeper_process::look() {
  see_pauses();
  auto plan = donors_.look(tables_, clock::now());
  next_look_ = clock::now() + look_again;
  if (!plan) {
    log_warning("index: " + plan.error().context);
    return;
  }
  follow_some(plan->hold);
  std::vector<std::string> followed;
  for (const renamed_donor& disk : plan->rename) {
    if (rename(disk)) {
      continue;
    }
    // Retried later; marks set until then stay set.
    std::erase_if(plan->hold, [&](const donor& who) {
      if (who.id == disk.id) {
        followed.push_back(who.device);
      }
      return who.id == disk.id;
    });
  }
  for (const missing_donor& gone : plan->drop) {
    drop(gone);
  }
  std::erase_if(disks_, [&](const auto& entry) {
    return std::ranges::none_of(
        plan->hold, [&](const donor& who) { return who.path == entry.first; });
  });
  for (donor& who : plan->hold) {
    const auto known = disks_.find(who.path);
    if (!plan->guests_known) {
      // What is followed goes on as it is; nothing else begins.
      who.guest = known == disks_.end() ? 0 : known->second.who.guest;
      who.device = known == disks_.end() ? "" : known->second.who.device;
    }
    hold(who);
    if (!who.device.empty()) {
      followed.push_back(who.device);
    }
  }
  if (plan->guests_known) {
    standing_tracker::keep_only(how_.trackers, followed);
  }
}

void keeper_process::want_scan(kept& disk) {
  const std::string& path = disk.who.path;
  if (scan_.path != path &&
      std::ranges::find(to_scan_, path) == to_scan_.end() &&
      disk.scans.may_begin(clock::now())) {
    to_scan_.push_back(path);
  }
}

bool keeper_process::is_due(const kept& disk) {
  const auto now = index::identify(disk.who.path);
  const auto disks = tables_.disks();
  if (!now || !disks) {
    return false;
  }
  const auto today = std::chrono::system_clock::now().time_since_epoch();
  return needs_whole_scan(disks->by_path(disk.who.path),
                          *now,
                          {today, options_.index_quiet, disk.who.guest != 0});
}

void keeper_process::turn(kept& disk) {
  disk.due = clock::now() + options_.index_quiet;
  if (disk.who.id == 0) {
    // Attaches the tracker before the scan: in the other order the disk would
    // have to be scanned twice.
    const auto by =
        disk.who.by_itself ? index::added_by::itself : index::added_by::hand;
    const auto added = index::add_disk(tables_, disk.who.path, by);
    if (!added) {
      say(disk, added.error().context);
      return;
    }
    disk.who.id = added->id;
    disk.due = clock::now();
  }
  if (paused_.covers(disk.who.path)) {
    // The tracker goes on marking; the keeper reads nothing.
    disk.due = clock::now() + options_.index_quiet;
    say(disk, "paused");
    return;
  }
  if (!disk.keeper) {
    if (is_due(disk)) {
      want_scan(disk);
    } else {
      disk.scans.reset();
    }
    return;
  }
  const auto now = disk.keeper->turn();
  if (!now) {
    if (now.error().code != errc::cancelled) {
      say(disk, now.error().context);
    }
    return;
  }
  switch (*now) {
    case index::disk_keeper::outcome::fresh:
      disk.scans.reset();
      say(disk, "followed through " + disk.who.device);
      break;
    case index::disk_keeper::outcome::behind:
      disk.scans.reset();
      disk.due = clock::now();
      break;
    case index::disk_keeper::outcome::scan:
      want_scan(disk);
      break;
  }
}

/// An administrator's own scan may be under way, or be over by now.
bool keeper_process::still_needs_scan(kept& disk) {
  if (!tables_.lock_disk(disk.who.id)) {
    return false;  // the disk's next turn asks again
  }
  return disk.keeper ? disk.keeper->needs_scan() : is_due(disk);
}

void keeper_process::start_scan() {
  if (scan_.pid > 0 || to_scan_.empty()) {
    return;
  }
  const std::string path = std::move(to_scan_.front());
  to_scan_.pop_front();
  const auto disk = disks_.find(path);
  if (disk == disks_.end() || paused_.covers(path) ||
      !still_needs_scan(disk->second)) {
    return;
  }
  std::vector<std::string> arguments{"--config=" + settings_file_,
                                     "--scan=" + path};
  if (disk->second.keeper) {
    // The scan belongs to the tracker of this moment, and to no later one.
    const index::scan_ticket ticket = disk->second.keeper->ticket();
    arguments.push_back("--device=" + ticket.device);
    arguments.push_back("--tracker=" + ticket.life.text());
  }
  const auto pid = start_own_process("teleportd", arguments);
  if (!pid) {
    log_warning("index: " + pid.error().context);
    return;
  }
  auto process = open_pidfd(*pid);
  if (!process) {
    log_warning("index: " + process.error().context);
    ::kill(*pid, SIGTERM);
    static_cast<void>(wait_until_exit(*pid));
    return;
  }
  scan_ = {*pid, std::move(*process), path};
}

/// A paused scan waits and continues where it was. When other disks wait for a
/// scan, it ends instead, and begins again later.
void keeper_process::make_room() {
  if (scan_.pid > 0 && !scan_.ending && paused_.covers(scan_.path) &&
      std::ranges::any_of(to_scan_, [&](const std::string& path) {
        return !paused_.covers(path);
      })) {
    scan_.ending = true;
    ::kill(scan_.pid, SIGTERM);
  }
}

void keeper_process::end_scan() {
  int status = 0;
  if (scan_.pid <= 0 || ::waitpid(scan_.pid, &status, WNOHANG) != scan_.pid) {
    return;
  }
  const std::string path = std::exchange(scan_, {}).path;
  const auto disk = disks_.find(path);
  if (disk == disks_.end()) {
    return;
  }
  const bool cancelled =
      !WIFEXITED(status) || WEXITSTATUS(status) == exit_cancelled;
  if (!cancelled) {
    // Until a turn finds that it was of use.
    const auto pause = disk->second.scans.ended(clock::now());
    if (pause > seconds(0)) {
      say(disk->second,
          fmt::format("scanned {} times in a row of no use; again in {} s",
                      disk->second.scans.in_vain(),
                      pause.count()));
    }
  }
  disk->second.due = clock::now();
}

milliseconds keeper_process::patience() const {
  const auto now = clock::now();
  auto next = next_look_;
  for (const auto& [path, disk] : disks_) {
    next = std::min(next, disk.due);
  }
  return std::chrono::ceil<milliseconds>(
      std::max<clock::duration>(next - now, seconds(0)));
}

void keeper_process::run() {
  while (!keeper_stop_asked()) {
    end_scan();
    if (clock::now() >= next_look_) {
      look();
    }
    for (auto& [path, disk] : disks_) {
      if (!keeper_stop_asked() && clock::now() >= disk.due) {
        turn(disk);
      }
    }
    make_room();
    start_scan();
    if (watch_.wait(patience(), {keeper_stop_event(), scan_.process.get()})) {
      next_look_ = std::min(next_look_, clock::now() + flurry);
    }
  }
  if (scan_.pid > 0) {
    ::kill(scan_.pid, SIGTERM);
    wait_until_exit(scan_.pid);
  }
}

}  // namespace

int run_index_keeper(const settings& options,
                     const std::string& settings_file) {
  catch_keeper_signals();
  give_way();
  // The keeper of a teleportd that was just stopped may still be at work.
  result<unique_fd> lock = take_lock(options.run_path, "keeper");
  while (!lock && lock.error().code == errc::busy && !keeper_stop_asked()) {
    std::this_thread::sleep_for(seconds(1));
    lock = take_lock(options.run_path, "keeper");
  }
  if (keeper_stop_asked()) {
    return exit_ok;
  }
  auto tables = lock ? open_kept_index(options) : lock.error();
  auto watch =
      tables ? donor_watch::open(options) : result<donor_watch>(tables.error());
  if (!watch) {
    log_error("index: " + watch.error().context);
    return exit_failed;
  }
  keeper_process(options, settings_file, **tables, std::move(*watch)).run();
  return exit_ok;
}

}  // namespace teleport
