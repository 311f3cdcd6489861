// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/reconnect.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>

#include "libteleport/net/event_loop.hpp"
#include "xl-teleport/setup/command_line.hpp"

namespace teleport {

std::optional<std::chrono::seconds> reconnect_policy::after(attempt_end end,
                                                            time_point now) {
  switch (end) {
    case attempt_end::over:
      return std::nullopt;
    case attempt_end::guest_changed:
      if (++changes_ > most_changes) {
        return std::nullopt;
      }
      pause_ = std::chrono::seconds(1);
      give_up_ = std::max(give_up_, now + change_limit);
      return pause_;
    case attempt_end::memory_lost:
      if (++memory_losses_ > most_memory_losses) {
        ++losses_;
        return std::nullopt;
      }
      [[fallthrough]];
    case attempt_end::link_lost:  // it was there again, so we look anew
      ++losses_;
      pause_ = std::chrono::seconds(1);
      give_up_ = now + limit_;
      break;
    case attempt_end::not_there:
      if (losses_ == 0 && changes_ == 0) {
        return std::nullopt;
      }
      pause_ = std::min(2 * pause_, longest_pause);
      break;
  }
  return now + pause_ < give_up_ ? std::optional(pause_) : std::nullopt;
}

bool sleep_unless_signalled(std::chrono::seconds pause) {
  event_loop loop(0);
  bool undisturbed = true;
  loop.on_stop_signal([&](int) {
    undisturbed = false;
    loop.stop();
  });
  const timer over = loop.after(pause, [&] { loop.stop(); });
  loop.run();
  return undisturbed;
}

void add_reconnect_option(CLI::App& app, std::chrono::seconds& limit) {
  add_seconds_option(app,
                     "--reconnect",
                     limit,
                     std::chrono::seconds(0),
                     "how long to look for a link that was lost while disks or "
                     "a running guest's memory were sent; 0: give up at once");
}

}  // namespace teleport
