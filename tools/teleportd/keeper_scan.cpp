// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/keeper_scan.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <utility>

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include "index/scan_text.hpp"
#include "libteleport/base/log.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/scan_job.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

std::atomic<bool> stop_flag = false;
static_assert(std::atomic<bool>::is_always_lock_free);

/// An eventfd; -1 before catch_keeper_signals().
int stop_event = -1;

extern "C" void ask_keeper_to_stop(int /*signal*/) {
  const int interrupted = errno;
  stop_flag = true;
  static_cast<void>(::eventfd_write(stop_event, 1));
  errno = interrupted;
}

}  // namespace

void catch_keeper_signals() {
  stop_event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct sigaction action {};
  // Without SA_RESTART: a signal ends a wait.
  action.sa_handler = ask_keeper_to_stop;
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
}

void give_way() {
  constexpr int lower = 10;
  constexpr int who_process = 1;
  constexpr int class_idle = 3 << 13;
  static_cast<void>(::setpriority(PRIO_PROCESS, 0, lower));
  static_cast<void>(::syscall(SYS_ioprio_set, who_process, 0, class_idle));
}

result<std::unique_ptr<index::store>> open_kept_index(const settings& options) {
  index::store_options how;
  how.writable = true;
  how.map.max_map_bytes = options.index_max_bytes;
  return index::store::open(options.index_path, how);
}

const std::atomic<bool>& keeper_stop_asked() {
  return stop_flag;
}

int keeper_stop_event() {
  return stop_event;
}

namespace {

/// Interval of a long scan's log lines about its progress.
constexpr std::chrono::seconds progress_step(600);

/// Logs the share that is scanned and the time left.
class progress_log {
 public:
  explicit progress_log(std::string path) : path_(std::move(path)) {}

  void operator()(const index::scan_progress& now) {
    if (now.seconds < next_) {
      return;
    }
    next_ = now.seconds + static_cast<double>(progress_step.count());
    log_info(fmt::format("index: {}: {:.0f} % of {}, left: {}",
                         path_,
                         percent_of(now.done_bytes, now.disk_bytes),
                         human_bytes(now.disk_bytes),
                         index::time_left(now, now.seconds)));
  }

 private:
  std::string path_;
  double next_ = static_cast<double>(progress_step.count());
};

}  // namespace

int run_keeper_scan(const settings& options,
                    const std::string& path,
                    const index::scan_ticket& ticket) {
  catch_keeper_signals();
  give_way();
  const auto tables = open_kept_index(options);
  if (!tables) {
    log_error("index: " + tables.error().context);
    return exit_failed;
  }
  index::scan_options how;
  how.ticket = ticket;
  how.bytes_per_second = options.index_scan_rate;
  how.cancel = &stop_flag;
  scan_job told(options, path, /*by_teleportd=*/true);
  how.progress = [&told, logs = progress_log(path)](
                     const index::scan_progress& now) mutable {
    logs(now);
    told.note({now.done_bytes,
               now.disk_bytes,
               now.seconds,
               now.paused,
               index::time_left(now, now.seconds)});
  };
  const auto report = index::scan_disk(**tables, path, how);
  told.end(report ? result<void>() : result<void>(report.error()),
           report ? report->read_bytes : 0,
           report ? report->seconds : 0);
  if (!report) {
    const bool stopped = report.error().code == errc::cancelled;
    if (!stopped) {
      log_warning("index: " + report.error().context);
    }
    return stopped ? exit_cancelled : exit_failed;
  }
  log_info(fmt::format("index: {}: scanned, {} MiB read in {:.0f} s",
                       path,
                       report->read_bytes >> 20U,
                       report->seconds));
  return exit_ok;
}

}  // namespace teleport
