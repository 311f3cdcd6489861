// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/query_reply.hpp"

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "xl-teleport/setup/arrival_fate.hpp"
#include "xl-teleport/setup/peer_guests.hpp"

namespace teleport {

destination_fate reply_to(const teleport_query& query,
                          const known_peer& asker,
                          const settings& options) {
  if (!asker.rights.is_limited()) {
    return fate_of(query, options);
  }
  const auto own = is_of_peer(query, asker.key, options);
  if (!own) {
    log_error(own.error().context);
    return destination_fate::in_progress;  // ask again: nothing is known
  }
  if (!*own) {
    log_warning(
        fmt::format("{} is limited, and asked for teleport {} of guest {}, "
                    "neither of which is its own: not told",
                    asker.name,
                    query.id,
                    query.uuid.empty() ? "?" : query.uuid));
    return destination_fate::uncertain;
  }
  return fate_of(query, options);
}

}  // namespace teleport
