// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/marks.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace teleport {

namespace {

/// Writes in flight at the suspension end within the disk's own time-outs; a
/// disk that needs longer is broken.
constexpr std::chrono::seconds in_flight_limit{30};

/// There is no event for "the last write has ended" to wait for: the kernel's
/// count is asked again after this. It is part of the downtime.
constexpr std::chrono::microseconds in_flight_poll{500};

result<void> wait_until_idle(write_tracker& tracker) {
  const auto deadline = std::chrono::steady_clock::now() + in_flight_limit;
  while (true) {
    const auto idle = tracker.idle();
    if (!idle) {
      return idle.error();
    }
    if (*idle) {
      return {};
    }
    if (std::chrono::steady_clock::now() > deadline) {
      return error(errc::timeout, "writes stay in flight after suspension");
    }
    std::this_thread::sleep_for(in_flight_poll);
  }
}

}  // namespace

result<void> take_marks(write_tracker& tracker, dirty_map& dirty) {
  auto taken = tracker.take();
  if (!taken) {
    return taken.error();
  }
  if (dirty.disk_bytes() == 0) {
    dirty = std::move(*taken);
  } else {
    dirty.merge(*taken);
  }
  return {};
}

result<void> take_last_marks(write_tracker& tracker,
                             known_content* known,
                             dirty_map& dirty) {
  auto taken = wait_until_idle(tracker);
  if (taken) {
    taken = take_marks(tracker, dirty);
  }
  if (!taken) {
    return taken;
  }
  const auto honest = tracker.audit();
  if (!honest) {
    return in_context("a write may have escaped the tracker", honest.error());
  }
  const auto known_rightly = known != nullptr ? known->audit() : result<void>();
  if (!known_rightly) {
    return in_context("a disk may not hold what was known of it",
                      known_rightly.error());
  }
  return {};
}

}  // namespace teleport
