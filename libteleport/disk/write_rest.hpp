// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/disk/write_rest.hpp: waits until the last writes of a suspended
// guest are on its disk. It is part of the downtime.
//
// Blocks: until the writes in flight have ended, some milliseconds.

#ifndef LIBTELEPORT_DISK_WRITE_REST_HPP
#define LIBTELEPORT_DISK_WRITE_REST_HPP

#include <chrono>
#include <functional>

#include "libteleport/base/error.hpp"

namespace teleport {

struct write_rest_terms {
  /// Writes in flight at the suspension end within the disk's own time-outs; a
  /// disk that needs longer is broken.
  std::chrono::seconds limit{30};
  /// The kernel has no event for "the last write has ended": its count is read
  /// again after this.
  std::chrono::microseconds poll{500};
};

/// Returns once `idle` says that no write is in flight: at once, when none is.
///
/// @param idle  a tracker's idle()
/// @error errc::timeout; what `idle` failed with
[[nodiscard]] result<void> wait_until_no_write_in_flight(
    const std::function<result<bool>()>& idle, write_rest_terms terms = {});

}  // namespace teleport

#endif  // LIBTELEPORT_DISK_WRITE_REST_HPP
