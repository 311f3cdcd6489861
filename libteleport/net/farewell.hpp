// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/farewell.hpp: the last thing that a stranger hears: FAIL with
// `not_paired`, and the end. Nothing that it sends is looked at (PROTOCOL.md,
// 1).
//
// Threads: the loop's thread alone.
// Trust:   none. What is received is thrown away unread: to close a socket with
//          bytes in it would let TCP throw away what was sent last.

#ifndef LIBTELEPORT_NET_FAREWELL_HPP
#define LIBTELEPORT_NET_FAREWELL_HPP

#include <functional>
#include <memory>

#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/lane.hpp"

namespace teleport {

/// @param done  called once the lane is closed, never from inside; within
///              seconds
void turn_away(event_loop& loop,
               const std::shared_ptr<lane>& stranger,
               std::function<void()> done);

}  // namespace teleport

#endif  // LIBTELEPORT_NET_FAREWELL_HPP
