// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/guest_here.hpp: the guest at the source, found by its uuid
// while it is being teleported: others may reboot, rename, pause or destroy it.
//
// Blocks: on Xen.
// Trust:  a domain's number and a guest's name are dealt anew; its uuid is not.

#ifndef XL_TELEPORT_SOURCE_GUEST_HERE_HPP
#define XL_TELEPORT_SOURCE_GUEST_HERE_HPP

#include <chrono>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/xen/guest_change.hpp"
#include "xl-teleport/source/departure.hpp"

namespace teleport {

/// Domains alone: cheap enough for every few seconds.
[[nodiscard]] result<guest_sight> glance_at_guest(const std::string& uuid);

/// The same with the guest's whole configuration.
[[nodiscard]] result<guest_sight> look_again(const std::string& uuid);

/// The same, and stops the guest's monitor (xen/xl_monitor.hpp), which would
/// take the suspension for the guest's end. let_stay() continues it, and so do
/// the guardian and clear_away().
[[nodiscard]] result<guest_sight> look_before_save(const std::string& uuid);

/// Waits for a guest that is being rebooted: its old domain is gone for some
/// seconds before the new one is there.
///
/// @return its domain in decimal, for look_at_guest()
/// @error errc::not_found
[[nodiscard]] result<std::string> wait_for_guest(
    const std::string& uuid, std::chrono::milliseconds limit);

/// The teleport leaves the guest here.
///
/// @param ours  a save of this teleport's had begun: a suspended guest is
///              resumed
/// @return the state in which it is now
/// @error it is suspended and ours, and could not be resumed
[[nodiscard]] result<guest_state> let_stay(const departure& plan, bool ours);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_GUEST_HERE_HPP
