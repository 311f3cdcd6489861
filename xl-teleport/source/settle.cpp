// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/settle.hpp"

#include <chrono>

namespace teleport {

namespace {

/// A disk that is not written all the time is at rest within this; under one
/// that is, the guest is paused until its writes have ended.
constexpr std::chrono::seconds barrier_limit{3};
constexpr std::chrono::seconds paused_barrier_limit{10};

}  // namespace

result<void> settle(dirty_tracker& tracker, const pause_call& set_paused) {
  auto settled = tracker.start_barrier(barrier_limit);
  if (settled || settled.error().code != errc::timeout) {
    return settled;
  }
  const auto paused = set_paused(true);
  if (paused) {
    settled = tracker.start_barrier(paused_barrier_limit);
    if (!settled && settled.error().code == errc::timeout) {
      settled = error(errc::timeout,
                      "the disk is written also while the guest is paused: "
                      "something else on this host writes to it");
    }
  }
  // Also after a failure: it may have been paused all the same.
  const auto going_on = set_paused(false);
  return !paused ? paused : !settled ? settled : going_on;
}

}  // namespace teleport
