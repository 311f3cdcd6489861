// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/destination_host.hpp: what the destination finds out about itself and
// decides on an OFFER, and its answer to a QUERY.
//
// Blocks: on Xen, disks and files: pool threads.

#ifndef TOOLS_DESTINATION_HOST_HPP
#define TOOLS_DESTINATION_HOST_HPP

#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/migrate/handover.hpp"
#include "tools/offer.hpp"
#include "tools/settings.hpp"

namespace teleport {

/// Checks everything that can be known to fail; touches nothing.
[[nodiscard]] result<answer> consider(const offer& offered,
                                      const settings& options);

/// What became of a teleport. Unless it runs or may run here, this is a promise
/// that it never will, journalled before it is given.
[[nodiscard]] destination_fate fate_of(const std::string& id,
                                       const settings& options);

/// Gives shadows that a killed session had brought back their safe names
/// again, unless their guest is here.
void tidy_shadows(const settings& options);

/// This host's name.
[[nodiscard]] std::string host_name();

}  // namespace teleport

#endif  // TOOLS_DESTINATION_HOST_HPP
