// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/told_offer.hpp"

#include "libteleport/xen/config.hpp"

namespace teleport {

offer told_offer(const std::string& id,
                 const source_view& view,
                 bool live,
                 bool dry_run) {
  offer told{id, live, view.guest, view.host, view.start};
  told.guest.config_json = without_passwords(view.guest.config_json);
  told.source.guest_names.clear();
  told.source.guest_uuids.clear();
  told.takes_turns = true;
  if (dry_run) {
    told.start.reset();
  }
  return told;
}

}  // namespace teleport
