// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/reception.hpp"

#include <chrono>
#include <utility>

#include <sys/wait.h>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/spawn.hpp"
#include "libteleport/net/key_pair.hpp"
#include "libteleport/net/peer_files.hpp"
#include "tools/teleportd/own_process.hpp"
#include "xl-teleport/setup/peer_rights_files.hpp"

namespace teleport {

namespace {

/// For a handshake, which the speaker limits itself.
constexpr std::chrono::seconds introduction_limit(60);

/// Blocks: until the handshake is over.
reception::newcomer interview(int speaker, const settings& options) {
  limit_waiting(speaker, introduction_limit);
  reception::newcomer next;
  auto own = read_key_pair(options.keys.key, options.keys.certificate);
  if (!own) {
    log_error(own.error().context);
    return next;
  }
  const auto told = send_packet(
      speaker,
      encode(speaker_terms{std::move(*own), options.link.congestion_control}));
  const auto said = told ? receive_packet(speaker, max_introduction_bytes)
                         : result<packet>(told.error());
  auto who = said ? decode_introduction(said->bytes)
                  : result<introduction>(said.error());
  if (!who) {
    return next;
  }
  next.who = std::move(*who);
  const auto peers = read_peer_files(options.keys.peers);
  if (!peers) {
    log_error(peers.error().context);
    return next;
  }
  for (const peer_file& one : *peers) {
    if (next.who->has_key && accepts(one, next.who->text)) {
      next.host = paired_host{one.host, one.name};
      next.keys.insert(next.keys.end(), one.keys.begin(), one.keys.end());
      next.most_sessions =
          rights_of_peer(*peers, options.keys.peers, one.host).most_sessions();
    }
  }
  return next;
}

}  // namespace

reception::reception(event_loop& loop,
                     const settings& options,
                     std::string settings_file,
                     std::function<void()> on_session_over)
    : loop_(loop),
      options_(options),
      settings_file_(std::move(settings_file)),
      on_session_over_(std::move(on_session_over)) {}

void reception::accept(packet came) {
  auto address = decode_visit(came.bytes);
  if (!address || came.descriptors.size() != 2) {
    warn("teleport-listen said what is no visit");
    return;
  }
  if (visits_.size() >= most_strangers) {
    warn(fmt::format("{}: refused, too many connections", *address));
    return;
  }
  const auto number = next_++;
  visit& one = visits_[number];
  one = {std::move(*address),
         std::move(came.descriptors[0]),
         std::move(came.descriptors[1])};
  loop_.work(
      [this, speaker = one.speaker.get()] {
        return interview(speaker, options_);
      },
      [this, number](const newcomer& next) { introduced(number, next); });
}

void reception::introduced(session_places::visitor number,
                           const newcomer& came) {
  const auto node = visits_.extract(number);
  const visit& one = node.mapped();
  if (!came.who) {
    return;  // it has ended without a word
  }
  if (!came.who->has_key) {
    warn(fmt::format("{}: {}", one.address, came.who->text));
    return;
  }
  verdict said;
  if (!came.host) {
    warn(
        fmt::format("{}: the peer's key {:.16} is not paired with this host: "
                    "run 'teleportctl pair root@HOST' on the source",
                    one.address,
                    came.who->text));
  } else {
    said.what = give_session(number, one, came) ? verdict::kind::come_in
                                                : verdict::kind::full;
    said.host = *came.host;
    said.keys = came.keys;
  }
  (void)send_packet(one.speaker.get(), encode(said));
}

bool reception::give_session(session_places::visitor number,
                             const visit& one,
                             const newcomer& came) {
  const permit may =
      places_.on_paired(number, came.host->key, came.most_sessions);
  if (may != permit::transfer) {
    warn(fmt::format("{}: there are {} transfers of its host or of all",
                     one.address,
                     may == permit::ask ? "enough" : "too many"));
  }
  if (may == permit::none) {
    return false;
  }
  const auto pid =
      start_own_process("teleportd",
                        {"--session",
                         "--config=" + settings_file_,
                         "--peer=" + came.host->key,
                         fmt::format("--permit={}", static_cast<char>(may))},
                        {one.session.get()});
  if (!pid) {
    log_error(pid.error().context);
    places_.on_gone(number);
    return false;
  }
  loop_.work(
      [pid = *pid] { return wait_until_exit(pid); },
      [this, number, address = one.address](int status) {
        if (WIFSIGNALED(status)) {
          log_error(fmt::format("the session of {} was killed by signal {}",
                                address,
                                WTERMSIG(status)));
        }
        places_.on_gone(number);
        on_session_over_();
      });
  return true;
}

void reception::warn(const std::string& sentence) {
  if (const auto said = rare_.say(sentence, std::chrono::steady_clock::now())) {
    log_warning(*said);
  }
}

}  // namespace teleport
