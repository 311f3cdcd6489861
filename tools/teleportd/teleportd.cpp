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
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "index/hash_index.hpp"
#include "libteleport/base/allocator.hpp"
#include "libteleport/base/bytes.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/spawn.hpp"
#include "libteleport/disk/standing_tracker.hpp"
#include "libteleport/migrate/no_lookup.hpp"
#include "libteleport/net/connection.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/identity.hpp"
#include "libteleport/net/lane_inbox.hpp"
#include "libteleport/net/listener.hpp"
#include "libteleport/wire/lane_records.hpp"
#include "tools/teleportd/door.hpp"
#include "tools/teleportd/door_channel.hpp"
#include "tools/teleportd/fate_asker.hpp"
#include "tools/teleportd/index_keeper.hpp"
#include "tools/teleportd/keeper_scan.hpp"
#include "tools/teleportd/own_process.hpp"
#include "tools/teleportd/peer_watch.hpp"
#include "xl-teleport/destination/destination_session.hpp"
#include "xl-teleport/destination/leftovers.hpp"
#include "xl-teleport/setup/exit_code.hpp"
#include "xl-teleport/setup/host_name.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {
namespace {

/// Pool threads of a session: disks and hashing.
constexpr unsigned session_workers = 4;

/// Between two attempts to clear up what a disk in use has delayed.
constexpr std::chrono::seconds first_pause(1);
constexpr std::chrono::seconds longest_pause(60);

/// Further connections of links on their way to the links' processes.
constexpr unsigned most_handed_over = 4;

/// Sessions that were refused or dropped, and are about to end.
constexpr unsigned most_ending = 16;

/// Before a keeper that ended is started again.
constexpr std::chrono::seconds keeper_pause(10);

class daemon_process {
 public:
  daemon_process(settings options, std::string settings_file)
      : options_(std::move(options)),
        settings_file_(std::move(settings_file)) {}

  int run() {
    clear_leftovers_later(std::chrono::seconds(0));
    const auto peers = pinned_peers::load(options_.keys.peers);
    if (peers && peers->all().empty()) {
      log_info("no host is paired with this one: not listening before one is");
    } else if (!listen()) {
      return exit_failed;
    }
    if (options_.index_keep_fresh) {
      start_keeper();
    } else {
      standing_tracker::keep_only(standing_folder, {});
    }
    loop_.on_stop_signal([this](int) { loop_.stop(); });
    asker_.start();
    loop_.run();
    // Sessions outlive this process; init reaps them. The pool's threads wait
    // for sessions, so this process ends without joining them.
    std::_Exit(exit_ok);
  }

 private:
  struct visit {
    pid_t pid = -1;
    std::string address;
    unique_fd socket;  ///< until it is known to be a paired host's
    unique_fd channel;
  };

  struct newcomer {
    std::optional<introduction> who;
    std::size_t most_sessions = 0;  ///< of a paired host
  };

  bool listen() {
    auto opened =
        listener::open(loop_,
                       options_.listen_address,
                       options_.port,
                       [this](unique_fd socket, const std::string& address) {
                         accept(std::move(socket), address);
                       });
    if (!opened) {
      log_error(opened.error().context);
      return false;
    }
    listener_ = std::move(*opened);
    log_info(fmt::format(
        "listening on {} port {}", options_.listen_address, options_.port));
    return true;
  }

  void on_peers(const pinned_peers& peers) {
    if (!listener_ && !peers.all().empty()) {
      (void)listen();
    } else if (listener_ && peers.all().empty()) {
      log_info("no host is paired with this one any more: not listening");
      listener_.reset();
    }
  }

  void accept(unique_fd socket, const std::string& address) {
    if (is_lane_of_link(socket.get())) {
      hand_over(std::move(socket), address);
      return;
    }
    const auto came =
        door_.on_arrival(address, std::chrono::steady_clock::now());
    for (const door::visitor old : came.dropped) {
      warn(fmt::format("{} has not said who it is, and others wait: dropped",
                       visits_[old].address));
      (void)::shutdown(visits_[old].socket.get(), SHUT_RDWR);
    }
    if (!came.number) {
      warn(fmt::format("{}: refused, too many connections", address));
      return;
    }
    auto channel = door_channel::open();
    const auto pid =
        channel ? start_own_process("teleportd",
                                    {"--session", "--config=" + settings_file_},
                                    {socket.get(), channel->session.get()})
                : result<pid_t>(channel.error());
    if (!pid) {
      log_error(pid.error().context);
      door_.on_gone(*came.number);
      return;
    }
    const int from = channel->daemon.get();
    visits_[*came.number] = {
        *pid, address, std::move(socket), std::move(channel->daemon)};
    loop_.work(
        [from, peers = options_.keys.peers] {
          newcomer next{read_introduction(from)};
          if (next.who && next.who->is_paired) {
            next.most_sessions =
                rights_of_peer(peers, next.who->text).most_sessions();
          }
          return next;
        },
        [this, number = *came.number](const newcomer& next) {
          introduced(number, next);
        });
  }

  /// Then waits for the session's end.
  void introduced(door::visitor number, const newcomer& came) {
    visit& one = visits_[number];
    const auto& who = came.who;
    if (who && who->is_paired) {
      const permit may = door_.on_paired(number, who->text, came.most_sessions);
      if (may != permit::transfer) {
        warn(fmt::format("{}: there are {} transfers of its host or of all",
                         one.address,
                         may == permit::ask ? "enough" : "too many"));
      }
      answer_with(may, one.channel.get());
      one.socket.reset();
    } else if (who) {
      warn(fmt::format("{}: {}", one.address, who->text));
      answer_with(permit::none, one.channel.get());
    }
    loop_.work(
        [pid = one.pid] { return wait_until_exit(pid); },
        [this, number](int status) {
          if (WIFSIGNALED(status)) {
            log_error(fmt::format("the session of {} was killed by signal {}",
                                  visits_[number].address,
                                  WTERMSIG(status)));
          }
          door_.on_gone(number);
          visits_.erase(number);
          clear_leftovers_later(std::chrono::seconds(0));
        });
  }

  /// A further connection of a link that is here costs no process.
  void hand_over(unique_fd socket, const std::string& address) {
    ++handed_over_;
    loop_.work(
        [this, lane = std::make_shared<unique_fd>(std::move(socket))] {
          return hand_over_to_link(lane->get(), options_.run_path);
        },
        [this, address](const result<bool>& done) {
          --handed_over_;
          if (!done) {
            warn(fmt::format("{}: {}", address, done.error().context));
          }
        });
  }

  /// @return whether a whole preamble has arrived, and a thread is free for it
  [[nodiscard]] bool is_lane_of_link(int socket) const {
    std::array<char, preamble_bytes> bytes{};
    const ssize_t seen =
        ::recv(socket, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    return handed_over_ < most_handed_over &&
           seen == static_cast<ssize_t>(bytes.size()) &&
           decode_preamble(
               as_bytes(std::string_view(bytes.data(), bytes.size())));
  }

  void warn(const std::string& sentence) {
    if (const auto said =
            rare_.say(sentence, std::chrono::steady_clock::now())) {
      log_warning(*said);
    }
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
  event_loop loop_{door::most_visitors() + most_ending + most_handed_over + 3};
  fate_asker asker_{loop_, options_, settings_file_};
  peer_watch watch_{loop_, options_.keys.peers, [this](const auto& peers) {
                      on_peers(peers);
                    }};
  std::unique_ptr<listener> listener_;  ///< while a host is paired
  door door_;
  std::map<door::visitor, visit> visits_;
  rare_words rare_;
  unsigned handed_over_ = 0;
  timer keeper_timer_;
  timer leftovers_timer_;
  std::chrono::seconds leftovers_pause_ = first_pause;
};

/// Tells the daemon who has come, or why nobody was let in.
permit tell_daemon(const result<std::shared_ptr<connection>>& link) {
  return introduce(own_process_channel,
                   {static_cast<bool>(link),
                    link ? (*link)->peer_key() : link.error().context});
}

/// A limited host has no donors: they are other hosts' guests' disks, and by
/// digests it could ask what is on them.
std::unique_ptr<content_lookup> lookup_for(const std::string& key,
                                           const settings& options) {
  if (rights_of_peer(options.keys.peers, key).is_limited()) {
    return std::make_unique<no_lookup>();
  }
  return std::make_unique<index::hash_index>(options.index_path);
}

int run_session(const settings& options) {
  const auto handed_over =
      hand_over_to_link(own_process_socket, options.run_path);
  if (!handed_over) {
    (void)introduce(own_process_channel, {false, handed_over.error().context});
    return exit_failed;
  }
  if (*handed_over) {
    return exit_ok;
  }
  keep_freed_memory();
  event_loop loop(session_workers);
  std::unique_ptr<destination_session> session;
  std::unique_ptr<peer_watch> watch;
  int exit_code = exit_failed;
  loop.on_stop_signal([&](int) {
    if (session) {
      session->cancel("teleportd was told to stop");
    } else {
      loop.stop();
    }
  });
  connection::accept(
      loop,
      {options.keys, options.link},
      unique_fd(own_process_socket),
      [&](result<std::shared_ptr<connection>> link) {
        const permit may = tell_daemon(link);
        if (!link || may == permit::none) {
          loop.stop();
          return;
        }
        session = std::make_unique<destination_session>(
            loop,
            options,
            *link,
            lookup_for((*link)->peer_key(), options),
            [&](int code) {
              exit_code = code;
              loop.stop();
            });
        if (may == permit::ask) {
          session->allow_only_questions();
        }
        watch = std::make_unique<peer_watch>(
            loop,
            options.keys.peers,
            [&, key = (*link)->peer_key()](const pinned_peers& peers) {
              if (!is_paired(peers, key)) {
                session->cancel("the source is not paired any more");
              }
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
