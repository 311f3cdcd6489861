// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/standstill.hpp: for how long something that is looked at
// again and again has not changed.
//
// Threads: one owner. Blocks: never; the time is passed in.

#ifndef LIBTELEPORT_SESSION_STANDSTILL_HPP
#define LIBTELEPORT_SESSION_STANDSTILL_HPP

#include <chrono>
#include <cstdint>
#include <optional>

namespace teleport {

class standstill {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// @param limit  none while it may stand still
  /// @param sign   what is seen of it now
  /// @return whether neither of the two has changed for as long as `limit`
  [[nodiscard]] bool is_too_long(std::optional<std::chrono::seconds> limit,
                                 std::uint64_t sign,
                                 time_point now) noexcept {
    if (!begun_ || limit != limit_ || sign != sign_) {
      begun_ = true;
      limit_ = limit;
      sign_ = sign;
      since_ = now;
      return false;
    }
    return limit && now - since_ >= *limit;
  }

 private:
  bool begun_ = false;
  std::optional<std::chrono::seconds> limit_;
  std::uint64_t sign_ = 0;
  time_point since_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_STANDSTILL_HPP
