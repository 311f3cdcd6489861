// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/turn_limit.hpp: when a source loses its turn to send
// memory, while another guest waits for it: PROTOCOL.md, section 5.3.
//
// Threads: a plain value. Blocks: never; time and bytes are passed in.

#ifndef LIBTELEPORT_SESSION_TURN_LIMIT_HPP
#define LIBTELEPORT_SESSION_TURN_LIMIT_HPP

#include <chrono>
#include <cstdint>
#include <optional>

#include "libteleport/base/units.hpp"

namespace teleport {

class turn_limit {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// What a source sends in pace_time at the least: 140 kbit/s.
  static constexpr std::uint64_t pace_bytes = 1_MiB;
  static constexpr std::chrono::seconds pace_time{60};
  /// For the start of xl, the last rounds and the devices.
  static constexpr std::chrono::minutes spare_time{10};
  /// 2 Mbit/s, in bytes: the slowest link that is worth a turn of hours.
  static constexpr std::uint64_t slowest_rate = 250'000;

  enum class verdict : std::uint8_t {
    keeps,
    too_slow,  ///< less than pace_bytes in pace_time
    too_long,
  };

  /// What the destination sees at one look.
  struct sight {
    std::uint64_t received = 0;  ///< bytes, from the link's beginning
    bool waits_for_source = true;
    bool stream_complete = false;
  };

  /// @param memory_kib  that the guest may have
  explicit turn_limit(std::uint64_t memory_kib, time_point now);

  /// Looked at again and again, also while nobody else waits.
  void look(const sight& seen, time_point now);
  /// @return what was seen last, where another guest waits
  [[nodiscard]] verdict judge() const noexcept { return verdict_; }

 private:
  time_point ends_;
  time_point mark_;                     ///< since when the pace is measured
  std::optional<std::uint64_t> bytes_;  ///< received at the mark
  verdict verdict_ = verdict::keeps;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_TURN_LIMIT_HPP
