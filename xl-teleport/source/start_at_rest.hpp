// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/start_at_rest.hpp: a disk's tracker begins while no write
// is in flight, with or without a short pause of the guest.
//
// Blocks: some seconds at most, of which the guest stands still for as long as
// its last writes take.

#ifndef XL_TELEPORT_SOURCE_START_AT_REST_HPP
#define XL_TELEPORT_SOURCE_START_AT_REST_HPP

#include <functional>

#include "libteleport/base/error.hpp"
#include "libteleport/disk/dirty_tracker.hpp"

namespace teleport {

/// Pauses the guest (true), or lets it go on (false).
using pause_call = std::function<result<void>(bool)>;

/// Waits until no write from before the tracker is in flight. A disk that is
/// written without a pause comes to rest only with the guest paused; in any
/// case the guest goes on afterwards.
///
/// @error errc::timeout when even then it is written: not by the guest
[[nodiscard]] result<void> start_at_rest(dirty_tracker& tracker,
                                         const pause_call& set_paused);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_START_AT_REST_HPP
