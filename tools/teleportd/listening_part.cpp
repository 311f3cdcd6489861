// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/listening_part.hpp"

#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/socket.h>
#include <sys/wait.h>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/base/packet_door.hpp"
#include "libteleport/base/spawn.hpp"
#include "libteleport/net/listener.hpp"
#include "libteleport/net/visit_records.hpp"

namespace teleport {

namespace {

/// Before teleport-listen is started again.
constexpr std::chrono::seconds restart_pause(1);

/// The last daemon's teleport-listen ends a moment after it; until then it has
/// the port.
constexpr std::chrono::milliseconds port_pause(50);
constexpr int port_tries = 200;

/// Beside this program, or found in PATH.
std::string listening_program() {
  std::error_code failure;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", failure);
  const std::string beside = own.parent_path() / "teleport-listen";
  return std::filesystem::exists(beside, failure) ? beside : "teleport-listen";
}

}  // namespace

listening_part::listening_part(event_loop& loop,
                               const settings& options,
                               std::string door,
                               handlers callbacks)
    : loop_(loop),
      options_(options),
      door_path_(std::move(door)),
      handlers_(std::move(callbacks)) {}

void listening_part::begin() {
  is_wanted_ = true;
  find();
}

void listening_part::end() {
  is_wanted_ = false;
  later_ = timer();
  if (socket_) {
    (void)::shutdown(socket_->get(), SHUT_RDWR);  // on_ended() follows
  }
}

void listening_part::find() {
  if (!is_wanted_ || is_finding_ || socket_) {
    return;
  }
  if (door_path_.empty()) {
    start();
    return;
  }
  if (!door_) {
    auto opened = open_door(door_path_);
    if (!opened) {
      handlers_.on_failed(opened.error());
      return;
    }
    door_ = std::move(*opened);
  }
  // A port that another program has is found out before teleport-listen is
  // waited for, whose unit waits until this one is ready. Nothing of root's
  // stays open to the network: the port is bound again to be given away.
  const auto bound = bind();
  if (is_worth_another_try(bound)) {
    later_ = loop_.after(port_pause, [this] { find(); });
    return;
  }
  if (!bound) {
    handlers_.on_failed(bound.error());
    return;
  }
  handlers_.on_ready();
  is_finding_ = true;
  loop_.work([door = door_.get()] { return await_at_door(door, listen_user); },
             [this](result<unique_fd> came) {
               is_finding_ = false;
               if (came) {
                 on_found(std::move(*came));
               } else {
                 log_warning(came.error().context);
                 later_ = loop_.after(restart_pause, [this] { find(); });
               }
             });
}

void listening_part::start() {
  auto ends = connected_sockets(SOCK_SEQPACKET);
  spawn_options listener;
  listener.program = listening_program();
  listener.argv = {"teleport-listen", "--given"};
  if (ends) {
    listener.descriptors.push_back(ends->other.get());
  }
  const auto pid =
      ends ? spawn(std::move(listener)) : result<pid_t>(ends.error());
  if (!pid) {
    handlers_.on_failed(pid.error());
    return;
  }
  loop_.work(
      [pid = *pid] { return wait_until_exit(pid); },
      [](int status) {
        if (WIFSIGNALED(status)) {
          log_error(fmt::format("teleport-listen was killed by signal {}",
                                WTERMSIG(status)));
        }
      });
  on_found(std::move(ends->one));
}

void listening_part::on_found(unique_fd socket) {
  if (!is_wanted_) {
    return;
  }
  socket_ = std::make_shared<unique_fd>(std::move(socket));
  tries_ = 0;
  order();
  hear();
}

result<unique_fd> listening_part::bind() const {
  return listen_at(
      options_.listen_address, options_.port, options_.link.congestion_control);
}

bool listening_part::is_worth_another_try(const result<unique_fd>& bound) {
  return !bound && bound.error().code == errc::busy && ++tries_ < port_tries;
}

void listening_part::order() {
  const auto bound = bind();
  if (is_worth_another_try(bound)) {
    later_ = loop_.after(port_pause, [this] {
      if (socket_) {
        order();
      }
    });
    return;
  }
  const auto told = bound
                        ? send_packet(socket_->get(),
                                      encode_listen_order(options_.listen_from),
                                      {bound->get()})
                        : result<void>(bound.error());
  if (!bound) {
    handlers_.on_failed(bound.error());
  } else if (told) {
    log_info(fmt::format(
        "listening on {} port {}", options_.listen_address, options_.port));
    handlers_.on_ready();
  } else {
    log_warning(told.error().context);  // on_ended() follows
  }
}

void listening_part::hear() {
  loop_.work(
      [socket = socket_] {
        return receive_packet(socket->get(), max_visit_bytes);
      },
      [this](result<packet> came) {
        if (came) {
          handlers_.on_visit(std::move(*came));
          hear();
        } else {
          on_ended();
        }
      });
}

void listening_part::on_ended() {
  socket_.reset();
  if (is_wanted_) {
    log_warning("teleport-listen has ended; again in a second");
    later_ = loop_.after(restart_pause, [this] { find(); });
  }
}

}  // namespace teleport
