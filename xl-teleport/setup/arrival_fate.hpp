// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/setup/arrival_fate.hpp: what became of a teleport to this host,
// for the source that asks (QUERY) and for a person who asks here (--recover).
//
// Threads: any. Blocks: on Xen and on small files, until durable.

#ifndef XL_TELEPORT_SETUP_ARRIVAL_FATE_HPP
#define XL_TELEPORT_SETUP_ARRIVAL_FATE_HPP

#include "libteleport/migrate/handover.hpp"
#include "libteleport/session/end_records.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// `abandoned` is a promise that the guest never runs here, journalled before
/// it is told. Where the journal has no entry, Xen is asked for the uuid.
[[nodiscard]] destination_fate fate_of(const teleport_query& query,
                                       const settings& options);

}  // namespace teleport

#endif  // XL_TELEPORT_SETUP_ARRIVAL_FATE_HPP
