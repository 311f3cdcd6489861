// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/destination_host.hpp: what the destination finds
// out about itself and decides on an OFFER.
//
// Blocks: on Xen, disks and files: pool threads.

#ifndef XL_TELEPORT_DESTINATION_DESTINATION_HOST_HPP
#define XL_TELEPORT_DESTINATION_DESTINATION_HOST_HPP

#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "libteleport/session/setup_records.hpp"
#include "xl-teleport/destination/known_peer.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// Checks everything that can be known to fail; touches nothing.
///
/// @param peer  offers
[[nodiscard]] result<answer> consider(const offer& offered,
                                      const settings& options,
                                      const known_peer& peer);

/// The same for a seed. Xen is asked whether the guest runs here already, where
/// there is one: this host need not be able to run guests.
[[nodiscard]] result<answer> consider_seed(const guest_info& guest,
                                           const settings& options,
                                           const known_peer& peer);

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_DESTINATION_HOST_HPP
