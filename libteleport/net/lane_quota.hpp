// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/lane_quota.hpp: how many further lanes a source may open now.
// Pure.
//
// Threads: one owner.

#ifndef LIBTELEPORT_NET_LANE_QUOTA_HPP
#define LIBTELEPORT_NET_LANE_QUOTA_HPP

#include <algorithm>

namespace teleport {

class lane_quota {
 public:
  /// Lanes that are opened at the same time: each is a handshake beside the
  /// transfer, and has a stranger's place until its first bytes are there.
  static constexpr unsigned most_opening = 2;
  /// After so many that came to nothing no more are opened.
  static constexpr unsigned most_failures = 3;

  /// So many lanes should there be; never fewer than before.
  void want(unsigned lanes) noexcept { wanted_ = std::max(wanted_, lanes); }
  [[nodiscard]] bool wants_more_than_one() const noexcept {
    return wanted_ > 1;
  }
  /// The destination lets in so many beside the first.
  void allow(unsigned further) noexcept { allowed_ = further; }

  /// @param lanes  that there are
  /// @return how many to open now; they count as being opened from here on
  [[nodiscard]] unsigned begin_opening(unsigned lanes) noexcept {
    const unsigned most = std::min(wanted_, 1 + allowed_);
    unsigned begun = 0;
    while (opening_ < most_opening && failed_ < most_failures &&
           lanes + opening_ < most) {
      ++opening_;
      ++begun;
    }
    return begun;
  }
  /// One that was being opened is a lane now.
  void on_opened() noexcept { --opening_; }
  /// One that was being opened came to nothing.
  /// @return true when it was the last that is tried
  [[nodiscard]] bool on_failed() noexcept {
    --opening_;
    return ++failed_ == most_failures;
  }

 private:
  unsigned wanted_ = 1;
  unsigned allowed_ = 0;
  unsigned opening_ = 0;
  unsigned failed_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LANE_QUOTA_HPP
