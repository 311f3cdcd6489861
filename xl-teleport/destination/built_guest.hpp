// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/built_guest.hpp: what `xl migrate-receive` had built
// of a guest when it was killed: a paused domain that nobody unpauses and
// nobody destroys, and because of which the guest's next teleport is refused.
//
// Threads: any. Blocks: on Xen, seconds.

#ifndef XL_TELEPORT_DESTINATION_BUILT_GUEST_HPP
#define XL_TELEPORT_DESTINATION_BUILT_GUEST_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/xen/toolstack.hpp"

namespace teleport {

/// Of the domains with the guest's uuid those that xl has built and not begun
/// to run: xl renames a guest before it unpauses it. One that is half destroyed
/// may have lost its name.
///
/// @param guest  the guest's own name
[[nodiscard]] std::vector<guest_seen> not_yet_run(
    const std::vector<guest_seen>& of_uuid, const std::string& guest);

/// Destroys them, and what is half destroyed of the guest. Only where GO was
/// not given to xl and never will be, and xl has ended or has lost its input.
[[nodiscard]] result<void> destroy_built(const std::string& uuid,
                                         const std::string& guest);

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_BUILT_GUEST_HPP
