// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/told_offer.hpp: what a destination is told by an OFFER:
// what it needs to decide whether the guest may come, and no more.
//
// Threads: pure functions.

#ifndef XL_TELEPORT_SOURCE_TOLD_OFFER_HPP
#define XL_TELEPORT_SOURCE_TOLD_OFFER_HPP

#include <string>

#include "libteleport/session/setup_records.hpp"
#include "xl-teleport/source/source_host.hpp"

namespace teleport {

/// The OFFER without the names and uuids of this host's other guests, and
/// without the passwords of this guest's displays: GUEST_CONFIG has those. A
/// dry run has no file that starts the guest either.
[[nodiscard]] offer told_offer(const std::string& id,
                               const source_view& view,
                               bool live,
                               bool dry_run);

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_TOLD_OFFER_HPP
