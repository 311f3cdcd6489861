// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/teleportd.cpp: the peer daemon. Listens, and gives every
// connection a process of its own (`teleportd --session`), so that a crash of
// one teleport harms no other, and restarting the daemon harms none.
//
// One more process keeps the content index fresh (index_keeper.hpp).
//
// Threads: the loop; one pool thread waiting for each of these processes.

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "index/hash_index.hpp"
#include "libteleport/base/allocator.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/spawn.hpp"
#include "libteleport/disk/standing_tracker.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/lane_inbox.hpp"
#include "libteleport/net/listener.hpp"
#include "libteleport/net/loop.hpp"
#include "tools/teleportd/fate_asker.hpp"
#include "tools/teleportd/index_keeper.hpp"
#include "tools/teleportd/keeper_scan.hpp"
#include "tools/teleportd/own_process.hpp"
#include "xl-teleport/destination/destination_session.hpp"
#include "xl-teleport/destination/leftovers.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/host_name.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {
namespace {

/// Connections served at once; more are refused at once. Each may hold some
/// 200 MiB while it rebuilds disks.
constexpr unsigned max_sessions = 16;

/// Pool threads of a session: disks and hashing.
constexpr unsigned session_workers = 4;

/// Between two attempts to clear up what a disk in use has delayed.
constexpr std::chrono::seconds first_pause(1);
constexpr std::chrono::seconds longest_pause(60);

/// Before a keeper that ended is started again.
constexpr std::chrono::seconds keeper_pause(10);

class daemon_process {
 public:
  daemon_process(settings options, std::string settings_file)
      : options_(std::move(options)),
        settings_file_(std::move(settings_file)) {}

  int run() {
    clear_leftovers_later(std::chrono::seconds(0));
    auto opened =
        listener::open(loop_,
                       options_.listen_address,
                       options_.port,
                       [this](unique_fd socket, const std::string& address) {
                         accept(std::move(socket), address);
                       });
    if (!opened) {
      log_error(opened.error().context);
      return exit_failed;
    }
    if (options_.index_keep_fresh) {
      start_keeper();
    } else {
      standing_tracker::keep_only(standing_folder, {});
    }
    loop_.on_stop_signal([this](int) { loop_.stop(); });
    asker_.start();
    log_info(fmt::format(
        "listening on {} port {}", options_.listen_address, options_.port));
    loop_.run();
    // Sessions outlive this process; init reaps them. The pool's threads wait
    // for sessions, so this process ends without joining them.
    std::_Exit(exit_ok);
  }

 private:
  void accept(unique_fd socket, const std::string& address) {
    if (sessions_ >= max_sessions) {
      log_warning(
          fmt::format("{}: refused, {} sessions are open", address, sessions_));
      return;
    }
    const auto pid = start_own_process(
        "teleportd", {"--session", "--config=" + settings_file_}, socket.get());
    if (!pid) {
      log_error(pid.error().context);
      return;
    }
    ++sessions_;
    loop_.work(
        [pid = *pid] { return wait_until_exit(pid); },
        [this, address](int status) {
          --sessions_;
          clear_leftovers_later(std::chrono::seconds(0));
          if (WIFSIGNALED(status)) {
            log_error(fmt::format("the session of {} was killed by signal {}",
                                  address,
                                  WTERMSIG(status)));
          }
        });
  }

  /// What a session leaves when it is killed, and what waits for an xl that is
  /// ending: again until nothing is left.
  void clear_leftovers_later(std::chrono::seconds pause) {
    leftovers_timer_ = loop_.after(pause, [this] {
      loop_.work([options = options_] { return clear_leftovers(options); },
                 [this](bool again) {
                   leftovers_pause_ =
                       again ? std::min(2 * leftovers_pause_, longest_pause)
                             : first_pause;
                   if (again) {
                     clear_leftovers_later(leftovers_pause_);
                   }
                 });
    });
  }

  /// The keeper loses nothing by its end, whatever the reason: teleportd starts
  /// it again.
  void start_keeper() {
    const auto pid = start_own_process(
        "teleportd", {"--keeper", "--config=" + settings_file_});
    if (!pid) {
      log_error(pid.error().context);
      return;
    }
    loop_.work(
        [pid = *pid] { return wait_until_exit(pid); },
        [this](int status) {
          log_warning(fmt::format(
              "the index's keeper ended ({} {}); again in {} s",
              WIFSIGNALED(status) ? "signal" : "code",
              WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
              keeper_pause.count()));
          keeper_timer_ = loop_.after(keeper_pause, [this] { start_keeper(); });
        });
  }

  settings options_;
  std::string settings_file_;
  // One waits for the keeper, one asks, one clears up.
  event_loop loop_{max_sessions + 3};
  fate_asker asker_{loop_, options_, settings_file_};
  unsigned sessions_ = 0;
  timer keeper_timer_;
  timer leftovers_timer_;
  std::chrono::seconds leftovers_pause_ = first_pause;
};

int run_session(const settings& options) {
  const auto handed_over =
      hand_over_to_link(own_process_socket, options.run_path);
  if (!handed_over) {
    log_warning(handed_over.error().context);
    return exit_failed;
  }
  if (*handed_over) {
    return exit_ok;
  }
  keep_freed_memory();
  event_loop loop(session_workers);
  std::unique_ptr<destination_session> session;
  int exit_code = exit_failed;
  loop.on_stop_signal([&](int) {
    if (session) {
      session->cancel();
    } else {
      loop.stop();
    }
  });
  connection::accept(
      loop,
      {options.keys, options.link},
      unique_fd(own_process_socket),
      [&](result<std::shared_ptr<connection>> link) {
        if (!link) {
          log_warning(link.error().context);
          loop.stop();
          return;
        }
        session = std::make_unique<destination_session>(
            loop,
            options,
            *link,
            std::make_unique<index::hash_index>(options.index_path),
            [&](int code) {
              exit_code = code;
              loop.stop();
            });
        session->start();
      });
  loop.run();
  loop.join();
  return exit_code;
}

int main_of_teleportd(int argc, char** argv) {
  CLI::App app{"Receives teleported Xen guests and keeps the content index.",
               "teleportd"};
  std::string settings_file = default_settings_file;
  bool session = false;
  bool keeper = false;
  bool leftovers = false;
  std::string scan;
  bool verbose = false;
  auto* config = app.add_option(
      "-c,--config",
      settings_file,
      "settings (default: " + std::string(default_settings_file) + ")");
  bool foreground = true;
  app.add_flag(
      "--foreground", foreground, "stay in the foreground (it always does)");
  app.add_flag("--clear-leftovers",
               leftovers,
               "clear up what sessions left that were killed, and end");
  app.add_flag("--session", session)->group("");
  app.add_flag("--keeper", keeper)->group("");
  app.add_option("--scan", scan)->group("");
  std::string device;
  std::string tracker;
  app.add_option("--device", device)->group("");
  app.add_option("--tracker", tracker)->group("");
  app.add_flag("-v,--verbose", verbose, "log more");
  app.set_version_flag("--version", "teleportd " TELEPORT_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return exit_of_parser(app.exit(failure));
  }
  log_setup(session ? fmt::format("teleportd[{}]", ::getpid()) : "teleportd",
            verbose ? log_level::debug : log_level::info);
  const auto options = load_settings(settings_file, config->count() != 0);
  if (!options) {
    log_error(options.error().context);
    return exit_usage;
  }
  if (session) {
    // Started as /proc/self/exe, which ps and top would show.
    (void)::prctl(PR_SET_NAME, "teleportd");
    return run_session(*options);
  }
  if (leftovers) {
    clear_leftovers_patiently(*options);
    return exit_ok;
  }
  if (keeper || !scan.empty()) {
    follow_parent(keeper ? "teleportd-keep" : "teleportd-scan");
    return keeper ? run_index_keeper(*options, settings_file)
                  : run_keeper_scan(
                        *options,
                        scan,
                        {standing_folder,
                         device,
                         unique_id::parse(tracker).value_or(unique_id())});
  }
  const auto identity = make_identity(options->keys, host_name());
  if (!identity) {
    log_error(identity.error().context);
    return exit_failed;
  }
  return daemon_process(*options, settings_file).run();
}

}  // namespace
}  // namespace teleport

int main(int argc, char** argv) {
  // A peer that goes away is an error of a write, not a signal.
  (void)std::signal(SIGPIPE, SIG_IGN);
  return teleport::main_of_teleportd(argc, argv);
}
