// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/event_loop.hpp"

#include <csignal>

namespace teleport {

event_loop::event_loop(unsigned workers) : pool_(workers) {}

event_loop::~event_loop() {
  join();
}

void event_loop::run() {
  context_.run();
  context_.restart();
}

void event_loop::stop() {
  context_.stop();
}

void event_loop::join() {
  if (apart_) {
    apart_->join();
  }
  pool_.join();
}

timer event_loop::after(std::chrono::milliseconds delay,
                        std::function<void()> task) {
  auto asio_timer = std::make_shared<boost::asio::steady_timer>(context_);
  asio_timer->expires_after(delay);
  asio_timer->async_wait(
      [task = std::move(task)](const boost::system::error_code& failure) {
        if (!failure) {
          task();
        }
      });
  return timer(std::move(asio_timer));
}

void event_loop::on_stop_signal(std::function<void(int)> task) {
  signal_task_ = std::move(task);
  signals_.add(SIGINT);
  signals_.add(SIGTERM);
  struct sigaction hang_up {};
  // SIGHUP's default action would end us without a word: also after GO, when
  // all that is left to do is to wait for the answer.
  if (::sigaction(SIGHUP, nullptr, &hang_up) == 0 &&
      hang_up.sa_handler != SIG_IGN) {
    signals_.add(SIGHUP);
  }
  wait_for_signal();
}

void event_loop::wait_for_signal() {
  signals_.async_wait(
      [this](const boost::system::error_code& failure, int signal) {
        if (!failure) {
          signal_task_(signal);
          wait_for_signal();
        }
      });
}

}  // namespace teleport
