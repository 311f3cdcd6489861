// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/xen/guest_seen.hpp"

#include <algorithm>
#include <array>

namespace teleport {

namespace {

unsigned liveness(guest_state state) {
  constexpr std::array<guest_state, 6> order = {guest_state::absent,
                                                guest_state::dying,
                                                guest_state::shut_down,
                                                guest_state::suspended,
                                                guest_state::paused,
                                                guest_state::running};
  return static_cast<unsigned>(std::find(order.begin(), order.end(), state) -
                               order.begin());
}

}  // namespace

std::string_view name_of(guest_state state) noexcept {
  switch (state) {
    case guest_state::running:
      return "running";
    case guest_state::paused:
      return "paused";
    case guest_state::suspended:
      return "suspended";
    case guest_state::shut_down:
      return "shut down";
    case guest_state::dying:
      return "dying";
    case guest_state::absent:
      break;
  }
  return "absent";
}

std::vector<guest_seen> with_uuid(std::vector<guest_seen> all,
                                  const std::string& uuid) {
  std::erase_if(all, [&](const guest_seen& one) { return one.uuid != uuid; });
  return all;
}

guest_state most_alive(const std::vector<guest_seen>& all) {
  guest_state best = guest_state::absent;
  for (const guest_seen& one : all) {
    best = liveness(one.state) > liveness(best) ? one.state : best;
  }
  return best;
}

}  // namespace teleport
