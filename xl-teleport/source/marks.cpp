// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/marks.hpp"

#include <chrono>
#include <thread>
#include <utility>

#include "libteleport/base/log.hpp"

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

/// What was told of the disk without reading it and is doubted is read now.
void mark_doubted(known_content* known,
                  const result<void>& checked,
                  dirty_map& dirty) {
  if (!checked) {
    log_warning("what the index told of a disk is read after all: " +
                checked.error().context);
    known->mark_told(dirty);
  }
}

result<void> add_marks(write_tracker& tracker, dirty_map& dirty) {
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

}  // namespace

result<void> take_marks(write_tracker& tracker,
                        known_content* known,
                        dirty_map& dirty) {
  auto taken = add_marks(tracker, dirty);
  if (taken && known != nullptr) {
    mark_doubted(known, known->check(), dirty);
  }
  return taken;
}

result<void> take_last_marks(write_tracker& tracker,
                             known_content* known,
                             dirty_map& dirty) {
  auto taken = wait_until_idle(tracker);
  if (taken) {
    taken = add_marks(tracker, dirty);
  }
  if (!taken) {
    return taken;
  }
  const auto honest = tracker.audit();
  if (!honest) {
    return in_context("a write may have escaped the tracker", honest.error());
  }
  if (known != nullptr) {
    mark_doubted(known, known->audit(), dirty);
  }
  return {};
}

}  // namespace teleport
