// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/start_at_rest.hpp"

#include <chrono>

namespace teleport {

namespace {

/// A disk that is not written all the time is at rest within this; under one
/// that is, the guest is paused until its writes have ended.
constexpr std::chrono::seconds barrier_limit{3};
constexpr std::chrono::seconds paused_barrier_limit{10};

}  // namespace

result<void> start_at_rest(dirty_tracker& tracker,
                           const pause_call& set_paused) {
  auto begun = tracker.start_barrier(barrier_limit);
  if (begun || begun.error().code != errc::timeout) {
    return begun;
  }
  const auto paused = set_paused(true);
  if (paused) {
    begun = tracker.start_barrier(paused_barrier_limit);
    if (!begun && begun.error().code == errc::timeout) {
      begun = error(errc::timeout,
                    "the disk is written also while the guest is paused: "
                    "something else on this host writes to it");
    }
  }
  // Also after a failure: it may have been paused all the same.
  const auto going_on = set_paused(false);
  return !paused ? paused : !begun ? begun : going_on;
}

}  // namespace teleport
