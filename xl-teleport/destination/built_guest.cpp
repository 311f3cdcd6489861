// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/built_guest.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/xen/destruction.hpp"

namespace teleport {

std::vector<guest_seen> not_yet_run(const std::vector<guest_seen>& of_uuid,
                                    const std::string& guest) {
  std::vector<guest_seen> found;
  std::ranges::copy_if(
      of_uuid, std::back_inserter(found), [&](const guest_seen& one) {
        return one.name == guest + "--incoming" &&
               one.state != guest_state::running;
      });
  return found;
}

result<void> destroy_built(const std::string& uuid, const std::string& guest) {
  auto xen = toolstack::open();
  if (!xen) {
    return xen.error();
  }
  const auto all = (*xen)->find_by_uuid(uuid);
  if (!all) {
    return all.error();
  }
  for (const guest_seen& one : not_yet_run(*all, guest)) {
    log_warning(fmt::format(
        "xl has left {} (domain {}): it is destroyed", one.name, one.domid));
    if (auto done = destroy_to_the_end(**xen, one.domid); !done) {
      return done;
    }
  }
  return finish_destructions(**xen, uuid);
}

}  // namespace teleport
