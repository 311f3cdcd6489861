// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/downtime.hpp"

#include <algorithm>

namespace teleport {

std::string_view name_of(downtime_step step) noexcept {
  switch (step) {
    case downtime_step::suspended:
      return "suspended";
    case downtime_step::marks_taken:
      return "marks_taken";
    case downtime_step::blocks_sent:
      return "blocks_sent";
    case downtime_step::blocks_proven:
      return "blocks_proven";
    case downtime_step::disks_durable:
      return "disks_durable";
    case downtime_step::memory_sent:
      return "memory_sent";
    case downtime_step::looked:
      return "looked";
    case downtime_step::guest_built:
      return "guest_built";
    case downtime_step::saved:
      return "saved";
    case downtime_step::go_sent:
      return "go_sent";
    case downtime_step::running:
      return "running";
  }
  return {};
}

void downtime_log::note(downtime_step step, time_point now) {
  if (has(step)) {
    return;
  }
  if (step == downtime_step::suspended) {
    began_ = now;
  }
  steps_.push_back({step, now - began_});
}

bool downtime_log::has(downtime_step step) const noexcept {
  return std::ranges::find(steps_, step, &downtime_entry::step) != steps_.end();
}

std::optional<std::chrono::duration<double>> downtime_log::total()
    const noexcept {
  const auto end =
      std::ranges::find(steps_, downtime_step::running, &downtime_entry::step);
  return end == steps_.end() ? std::nullopt : std::optional(end->at);
}

}  // namespace teleport
