// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/source_silence.hpp"

namespace teleport {

std::optional<std::chrono::seconds> source_silence::limit_at(
    const destination_course& course, bool holds_turn) noexcept {
  switch (row_of(course.at()).waits_for) {
    case awaited::ourselves:
      return std::nullopt;
    case awaited::opening:
      return opening_limit;
    case awaited::source:
      break;
  }
  if (course.at() == destination_state::durable && course.is_at_gate()) {
    return std::nullopt;  // the hook, and xl's building, are ours
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
