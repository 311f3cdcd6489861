// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/destination/query_reply.hpp: what a paired host that asks (QUERY)
// is told. A host of ours is told of every guest, a limited one of those alone
// that it has to do with.
//
// Threads: any. Blocks: on Xen and on small files, until durable.

#ifndef XL_TELEPORT_DESTINATION_QUERY_REPLY_HPP
#define XL_TELEPORT_DESTINATION_QUERY_REPLY_HPP

#include "libteleport/migrate/handover.hpp"
#include "libteleport/session/end_records.hpp"
#include "xl-teleport/destination/known_peer.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// Of a guest that is none of a limited host's: `uncertain`, as where no such
/// guest is here, and nothing is looked for or written.
[[nodiscard]] destination_fate reply_to(const teleport_query& query,
                                        const known_peer& asker,
                                        const settings& options);

}  // namespace teleport

#endif  // XL_TELEPORT_DESTINATION_QUERY_REPLY_HPP
