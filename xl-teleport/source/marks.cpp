// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/marks.hpp"

#include <utility>

#include "libteleport/base/log.hpp"
#include "libteleport/disk/write_rest.hpp"

namespace teleport {

namespace {

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
  auto taken =
      wait_until_no_write_in_flight([&tracker] { return tracker.idle(); });
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
