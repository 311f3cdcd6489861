// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/source_silence.hpp: for how long a source may send
// nothing while a destination waits for it. Its TCP may be alive all the time:
// a process that is stopped, or a peer that wants to occupy what a session has.
//
// Threads: pure functions.

#ifndef LIBTELEPORT_SESSION_SOURCE_SILENCE_HPP
#define LIBTELEPORT_SESSION_SOURCE_SILENCE_HPP

#include <chrono>
#include <optional>

#include "libteleport/session/destination_course.hpp"
#include "libteleport/session/seed_destination_course.hpp"

namespace teleport {

class source_silence {
 public:
  /// Of a source that has been told that its guest is not welcome, or has not
  /// said what it wants.
  static constexpr std::chrono::seconds opening_limit{60};
  /// A slow disk of the source, or a person who stopped it for a while.
  static constexpr std::chrono::seconds idle_limit{600};
  /// While the memory of all other guests waits for this one's.
  static constexpr std::chrono::seconds turn_limit{120};

  /// @param holds_turn  to receive memory on this host
  /// @return none while the destination has something to do itself
  [[nodiscard]] static std::optional<std::chrono::seconds> limit_at(
      const destination_course& course, bool holds_turn) noexcept;
  [[nodiscard]] static std::optional<std::chrono::seconds> limit_at(
      seed_destination_state at) noexcept;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_SOURCE_SILENCE_HPP
