// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/peer_guests.hpp"

#include <algorithm>
#include <vector>

#include "libteleport/migrate/journal.hpp"
#include "xl-teleport/setup/peer_holdings.hpp"

namespace teleport {

result<bool> is_of_peer(const teleport_query& query,
                        const std::string& key,
                        const settings& config) {
  const auto entries = journal::open(config.journal_path());
  if (!entries) {
    return entries.error();
  }
  const auto asked = entries->read(query.id, journal_role::destination);
  if (!asked) {
    return asked.error();
  }
  if (*asked) {
    return (*asked)->peer_key == key;
  }
  if (query.uuid.empty()) {
    return false;
  }
  for (const journal_role role :
       {journal_role::destination, journal_role::source}) {
    const auto all = entries->all(role);
    if (!all) {
      return all.error();
    }
    if (std::ranges::any_of(*all, [&](const journal_entry& one) {
          return one.uuid == query.uuid && one.peer_key == key;
        })) {
      return true;
    }
  }
  const auto held = peer_holdings::read(config);
  if (!held) {
    return held.error();
  }
  return held->has_of(key, query.uuid);
}

}  // namespace teleport
