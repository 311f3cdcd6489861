// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/listen/listening.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/base/packet.hpp"
#include "libteleport/base/pidfd.hpp"
#include "libteleport/base/spawn.hpp"
#include "libteleport/net/lane_inbox.hpp"
#include "libteleport/net/visit_records.hpp"
#include "tools/listen/confinement.hpp"
#include "tools/listen/speaker.hpp"

namespace teleport {

namespace {

/// For the first bytes, which a source sends at once. What the kernel has
/// waited for them (TCP_DEFER_ACCEPT) comes before.
constexpr std::chrono::seconds first_bytes_limit{3};

/// After a failed accept() (no descriptors left), wait before the next.
constexpr std::chrono::milliseconds retry_delay{500};

/// A speaker that is busy receives a lane a moment later.
constexpr std::chrono::seconds pass_limit{1};

void wake_at(int socket, std::size_t bytes) {
  const int least = static_cast<int>(bytes);
  (void)::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
}

/// Bytes that can be read, and stay.
std::size_t peek(int socket, std::array<char, preamble_bytes>& bytes) {
  const ssize_t got =
      ::recv(socket, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

}  // namespace

listening::listening(unique_fd daemon, std::vector<std::string> arguments)
    : daemon_(std::move(daemon)), arguments_(std::move(arguments)) {}

result<void> listening::receive_order() {
  auto order = receive_packet(daemon_.get(), max_order_bytes);
  if (!order) {
    return order.error();
  }
  auto from = decode_listen_order(order->bytes);
  if (!from) {
    return from.error();
  }
  if (order->descriptors.size() != 1) {
    return error(errc::protocol, "teleportd sent no socket");
  }
  from_ = std::move(*from);
  socket_ = std::move(order->descriptors.front());
  return {};
}

int listening::run() {
  const auto ordered = receive_order();
  if (!ordered && ordered.error().code == errc::peer_lost) {
    return EXIT_SUCCESS;
  }
  const auto alone = ordered ? confine(confined::listener) : ordered;
  if (!alone) {
    log_error(alone.error().context);
    return EXIT_FAILURE;
  }
  while (turn()) {
  }
  return EXIT_SUCCESS;
}

bool listening::turn() {
  const auto now = std::chrono::steady_clock::now();
  std::vector<pollfd> waited{{daemon_.get(), POLLIN, 0}};
  waited.push_back({deaf_until_ > now ? -1 : socket_.get(), POLLIN, 0});
  auto next = deaf_until_ > now ? deaf_until_ : now + std::chrono::hours(1);
  for (const auto& [number, one] : newcomers_) {
    waited.push_back({one.socket.get(), POLLIN | POLLRDHUP, 0});
    next = std::min(next, one.until);
  }
  for (const auto& [number, one] : speakers_) {
    waited.push_back({one.lanes.get(), POLLIN, 0});
    waited.push_back({one.process.get(), POLLIN, 0});
  }
  const auto pause =
      std::chrono::ceil<std::chrono::milliseconds>(next - now).count();
  if (::poll(waited.data(),
             waited.size(),
             static_cast<int>(std::max<std::int64_t>(pause, 0))) < 0 &&
      errno != EINTR) {
    log_error(system_error(errno, "poll").context);
    return false;
  }
  if (waited[0].revents != 0) {
    return false;  // teleportd says nothing more than its end
  }
  std::size_t at = 2;
  for (auto it = newcomers_.begin(); it != newcomers_.end(); ++at) {
    it = look_at(it->first, it->second, waited[at].revents)
             ? newcomers_.erase(it)
             : std::next(it);
  }
  for (auto it = speakers_.begin(); it != speakers_.end();) {
    hear(it->first, it->second);
    it = reap(it->first, it->second) ? speakers_.erase(it) : std::next(it);
  }
  if (waited[1].revents != 0) {
    accept_all();
  }
  return true;
}

void listening::accept_all() {
  for (;;) {
    auto came = accept_next(socket_.get());
    if (came) {
      welcome(std::move(*came));
      continue;
    }
    if (came.error().code != errc::timeout) {
      log_warning(came.error().context);
      deaf_until_ = std::chrono::steady_clock::now() + retry_delay;
    }
    return;
  }
}

void listening::welcome(accepted_socket came) {
  const auto now = std::chrono::steady_clock::now();
  if (!from_.contains(came.address)) {
    warn(fmt::format("{}: refused, not in [listen] from", came.address));
    return;
  }
  if (pass_on(came.socket) == lane::passed) {
    return;  // it takes no stranger's place
  }
  const auto arrival = door_.on_arrival(came.address, now);
  for (const door::visitor old : arrival.dropped) {
    drop(old);
  }
  if (!arrival.number) {
    warn(fmt::format("{}: refused, too many connections", came.address));
    return;
  }
  wake_at(came.socket.get(), preamble_bytes);
  newcomers_.emplace(*arrival.number,
                     newcomer{std::move(came.socket),
                              std::move(came.address),
                              now + first_bytes_limit});
}

void listening::drop(door::visitor number) {
  const auto silent = newcomers_.find(number);
  const auto talking = speakers_.find(number);
  std::string address;
  if (silent != newcomers_.end()) {
    address = silent->second.address;
    newcomers_.erase(silent);
  } else if (talking != speakers_.end()) {
    address = talking->second.address;
    (void)::shutdown(talking->second.source.get(), SHUT_RDWR);
  }
  warn(fmt::format("{} has not said who it is, and others wait: dropped",
                   address));
}

bool listening::look_at(door::visitor number, newcomer& one, short events) {
  std::array<char, preamble_bytes> bytes{};
  const std::size_t seen = events != 0 ? peek(one.socket.get(), bytes) : 0;
  if (seen == bytes.size()) {
    const lane at = pass_on(one.socket);
    if (at == lane::none) {
      give_speaker(number, std::move(one));
    } else if (at == lane::passed) {
      door_.on_known(number);
    } else {
      warn(fmt::format("{}: a further connection of a link that is not here",
                       one.address));
      door_.on_gone(number);
    }
    return true;
  }
  const bool has_ended = (events & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  if (has_ended || one.until <= std::chrono::steady_clock::now()) {
    warn(fmt::format("{}: it connected and said nothing", one.address));
    door_.on_gone(number);
    return true;
  }
  return false;
}

listening::lane listening::pass_on(const unique_fd& socket) {
  std::array<char, preamble_bytes> bytes{};
  const std::size_t seen = peek(socket.get(), bytes);
  const auto name = seen == bytes.size()
                        ? decode_preamble(as_bytes(
                              std::string_view(bytes.data(), bytes.size())))
                        : std::nullopt;
  if (!name) {
    return lane::none;
  }
  const auto its = std::ranges::find_if(
      speakers_, [&name](const auto& one) { return one.second.link == name; });
  if (its == speakers_.end()) {
    return lane::nobodys;
  }
  (void)::recv(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  wake_at(socket.get(), 1);
  const auto passed = pass_lane(its->second.lanes.get(), socket.get());
  if (!passed) {
    warn(fmt::format("{}: {}", its->second.address, passed.error().context));
  }
  return lane::passed;
}

void listening::give_speaker(door::visitor number, newcomer one) {
  wake_at(one.socket.get(), 1);
  auto daemon = connected_sockets(SOCK_SEQPACKET);
  auto session = connected_sockets(SOCK_STREAM);
  auto lanes = connected_sockets(SOCK_SEQPACKET);
  if (!daemon || !session || !lanes) {
    log_error("no sockets are left for a connection");
    door_.on_gone(number);
    return;
  }
  spawn_options self;
  // This program, also when an upgrade replaced its file meanwhile.
  self.program = "/proc/self/exe";
  self.argv = arguments_;
  self.argv.emplace_back("--speak");
  self.descriptors.insert(self.descriptors.end(),
                          {one.socket.get(),
                           daemon->one.get(),
                           session->one.get(),
                           lanes->one.get()});
  const auto pid = spawn(std::move(self));
  auto process = pid ? open_pidfd(*pid) : result<unique_fd>(pid.error());
  const auto told =
      process ? send_packet(daemon_.get(),
                            encode_visit(one.address),
                            {daemon->other.get(), session->other.get()})
              : result<void>(process.error());
  if (!told) {
    log_error(told.error().context);
  }
  if (!process) {
    if (pid) {
      // A process that cannot be watched: it ends as it has nobody to serve,
      // and it may not be killed from here (confinement.cpp).
      for (auto* const each : {&*daemon, &*session, &*lanes}) {
        each->one.reset();
        each->other.reset();
      }
      one.socket.reset();
      static_cast<void>(wait_until_exit(*pid));
    }
    door_.on_gone(number);
    return;
  }
  limit_waiting(lanes->other.get(), pass_limit);
  speakers_.emplace(number,
                    speaker{*pid,
                            std::move(one.address),
                            std::move(one.socket),
                            std::move(lanes->other),
                            std::move(*process),
                            std::nullopt});
}

void listening::hear(door::visitor number, speaker& one) {
  while (one.lanes) {
    const auto said =
        receive_packet(one.lanes.get(), max_announcement_bytes, MSG_DONTWAIT);
    if (said && said->bytes == known_host) {
      one.source.reset();
      door_.on_known(number);
    } else if (said && !one.link && !one.source) {
      one.link = read_announcement(said->bytes);
    } else if (!said && said.error().code == errc::timeout) {
      return;
    } else if (!said) {
      one.lanes.reset();
      one.link.reset();
    }
  }
}

bool listening::reap(door::visitor number, const speaker& one) {
  int status = 0;
  if (::waitpid(one.pid, &status, WNOHANG) != one.pid) {
    return false;
  }
  if (WIFSIGNALED(status)) {
    log_error(fmt::format("the speaker with {} was killed by signal {}",
                          one.address,
                          WTERMSIG(status)));
  }
  door_.on_gone(number);
  return true;
}

void listening::warn(const std::string& sentence) {
  if (const auto said = rare_.say(sentence, std::chrono::steady_clock::now())) {
    log_warning(*said);
  }
}

}  // namespace teleport
