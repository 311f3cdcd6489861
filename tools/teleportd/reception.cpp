// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/reception.hpp"

#include <array>
#include <chrono>
#include <csignal>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <sys/wait.h>

#include <fmt/format.h>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/spawn.hpp"
#include "libteleport/net/lane_inbox.hpp"
#include "libteleport/wire/lane_records.hpp"
#include "tools/teleportd/own_process.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"

namespace teleport {

reception::reception(event_loop& loop,
                     const settings& options,
                     std::string settings_file,
                     std::function<void()> on_session_over)
    : loop_(loop),
      options_(options),
      settings_file_(std::move(settings_file)),
      on_session_over_(std::move(on_session_over)) {}

void reception::accept(unique_fd socket, const std::string& address) {
  if (!options_.listen_from.contains(address)) {
    warn(fmt::format("{}: refused, not in [listen] from", address));
    return;
  }
  if (is_lane_of_link(socket.get())) {
    hand_over(std::move(socket), address);
    return;
  }
  const auto came = door_.on_arrival(address, std::chrono::steady_clock::now());
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

void reception::introduced(door::visitor number, const newcomer& came) {
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
        on_session_over_();
      });
}

void reception::hand_over(unique_fd socket, const std::string& address) {
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

bool reception::is_lane_of_link(int socket) const {
  std::array<char, preamble_bytes> bytes{};
  const ssize_t seen =
      ::recv(socket, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  return handed_over_ < most_handed_over &&
         seen == static_cast<ssize_t>(bytes.size()) &&
         decode_preamble(
             as_bytes(std::string_view(bytes.data(), bytes.size())));
}

void reception::warn(const std::string& sentence) {
  if (const auto said = rare_.say(sentence, std::chrono::steady_clock::now())) {
    log_warning(*said);
  }
}

}  // namespace teleport
