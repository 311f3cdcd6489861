// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/daemon_process.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <sys/wait.h>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/spawn.hpp"
#include "libteleport/disk/standing_tracker.hpp"
#include "tools/teleportd/index_keeper.hpp"
#include "tools/teleportd/own_process.hpp"
#include "xl-teleport/destination/leftovers.hpp"
#include "xl-teleport/destination/store_mount.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/job_files.hpp"

namespace teleport {

namespace {

/// The longest pause between two attempts to clear up what a disk in use has
/// delayed.
constexpr std::chrono::seconds longest_pause(20);

/// Before a keeper that ended is started again.
constexpr std::chrono::seconds keeper_pause(10);

}  // namespace

daemon_process::daemon_process(settings options,
                               std::string settings_file,
                               std::string door,
                               service_notice systemd)
    : options_(std::move(options)),
      settings_file_(std::move(settings_file)),
      systemd_(std::move(systemd)),
      listening_(
          loop_,
          options_,
          std::move(door),
          {.on_visit =
               [this](packet came) { reception_.accept(std::move(came)); },
           .on_failed =
               [this](const error& cause) {
                 log_error(cause.context);
                 exit_code_ = exit_failed;
                 loop_.stop();
               },
           .on_ready =
               [this] {
                 tell_ready(fmt::format("listening on {} port {}",
                                        options_.listen_address,
                                        options_.port));
               }}) {}

void daemon_process::tell_systemd(const std::string& lines) {
  if (const auto told = systemd_.tell(lines); !told) {
    log_warning(told.error().context);
  }
}

void daemon_process::tell_ready(const std::string& status) {
  tell_systemd("READY=1\nSTATUS=" + status);
}

int daemon_process::run() {
  if (const auto noted = note_store_mount(options_); !noted) {
    log_warning(noted.error().context);
  }
  clear_leftovers_later(std::chrono::seconds(0));
  const auto peers = pinned_peers::load(options_.keys.peers);
  if (peers && peers->empty()) {
    log_info("no host is paired with this one: not listening before one is");
    tell_ready("no host is paired with this one: not listening");
  } else {
    if (!peers) {
      log_error(peers.error().context);
    }
    listens_ = true;
    loop_.post([this] { listening_.begin(); });
  }
  if (options_.index_keep_fresh) {
    start_keeper();
  } else {
    standing_tracker::keep_only(standing_folder, {});
  }
  loop_.on_stop_signal([this](int signal) {
    log_info(fmt::format("ending at signal {}; sessions go on", signal));
    tell_systemd("STOPPING=1");
    loop_.stop();
  });
  asker_.start();
  loop_.run();
  // Sessions outlive this process; init reaps them. The pool's threads wait
  // for sessions, so this process ends without joining them.
  std::_Exit(exit_code_);
}

void daemon_process::on_peers(const pinned_peers& peers) {
  if (!listens_ && !peers.empty()) {
    listens_ = true;
    listening_.begin();
  } else if (listens_ && peers.empty()) {
    log_info("no host is paired with this one any more: not listening");
    tell_systemd("STATUS=no host is paired with this one: not listening");
    listens_ = false;
    listening_.end();
  }
}

void daemon_process::clear_leftovers_later(std::chrono::seconds pause) {
  leftovers_timer_ = loop_.after(pause, [this] {
    loop_.work(
        [options = options_] {
          prune_jobs(options);
          return clear_leftovers(options);
        },
        [this](bool again) {
          leftovers_pause_ = again
                                 ? std::min(2 * leftovers_pause_, longest_pause)
                                 : first_pause;
          if (again) {
            clear_leftovers_later(leftovers_pause_);
          }
        });
  });
}

void daemon_process::start_keeper() {
  const auto pid = start_own_process(
      "teleportd", {"--keeper", "--config=" + settings_file_});
  if (!pid) {
    log_error(pid.error().context);
    return;
  }
  loop_.work([pid = *pid] { return wait_until_exit(pid); },
             [this](int status) {
               log_warning(fmt::format(
                   "the index's keeper ended ({} {}); again in {} s",
                   WIFSIGNALED(status) ? "signal" : "code",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                   keeper_pause.count()));
               keeper_timer_ =
                   loop_.after(keeper_pause, [this] { start_keeper(); });
             });
}

}  // namespace teleport
