// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/scan_backoff.hpp: when may a disk be scanned again? One whose
// scans turn out to be of no use, whatever the reason, is scanned at intervals
// that double, up to a day: a disk that can never be followed must not be read
// for ever.
//
// Threads: a value. Blocks: no.

#ifndef TOOLS_TELEPORTD_SCAN_BACKOFF_HPP
#define TOOLS_TELEPORTD_SCAN_BACKOFF_HPP

#include <algorithm>
#include <chrono>

namespace teleport {

class scan_backoff {
 public:
  using clock = std::chrono::steady_clock;
  static constexpr std::chrono::seconds first_pause{60};
  static constexpr std::chrono::seconds longest_pause{86400};

  [[nodiscard]] bool may_begin(clock::time_point now) const {
    return now >= not_before_;
  }
  /// A scan has ended; reset() if it was of use.
  ///
  /// @return how long the next one has to wait; 0 after the first
  std::chrono::seconds ended(clock::time_point now) {
    const auto pause = in_vain_ == 0 ? std::chrono::seconds(0) : next_pause_;
    if (in_vain_ != 0) {
      next_pause_ = std::min(2 * next_pause_, longest_pause);
    }
    ++in_vain_;
    not_before_ = now + pause;
    return pause;
  }
  /// Scans in a row that were of no use.
  [[nodiscard]] unsigned in_vain() const noexcept { return in_vain_; }
  void reset() { *this = scan_backoff(); }

 private:
  unsigned in_vain_ = 0;
  std::chrono::seconds next_pause_ = first_pause;
  clock::time_point not_before_;
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_SCAN_BACKOFF_HPP
