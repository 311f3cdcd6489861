// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/source_silence.hpp"

namespace teleport {

std::optional<std::chrono::seconds> source_silence::limit_at(
    const destination_course& course, bool holds_turn) noexcept {
  using state = destination_state;
  switch (course.at()) {
    case state::connected:
    case state::greeted:
    case state::foreign:
      return opening_limit;
    case state::durable:
      if (course.is_at_gate()) {
        return std::nullopt;
      }
      break;
    case state::answered:
    case state::disks:
    case state::turn:
    case state::memory:
    case state::ready:
      break;
    case state::asked:
    case state::offered:
    case state::preparing:
    case state::waiting:
    case state::starting:
    case state::flushing:
    case state::committed:
    case state::seeding:
    case state::leaving:
    case state::over:
      return std::nullopt;
  }
  return holds_turn ? turn_limit : idle_limit;
}

std::optional<std::chrono::seconds> source_silence::limit_at(
    seed_destination_state at) noexcept {
  using state = seed_destination_state;
  switch (at) {
    case state::answered:
    case state::disks:
      return idle_limit;
    case state::refused:
    case state::over:
      return opening_limit;
    case state::offered:
    case state::asked:
    case state::preparing:
    case state::keeping:
      break;
  }
  return std::nullopt;
}

}  // namespace teleport
