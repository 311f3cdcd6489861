// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/effort_watch.hpp"

#include <cstddef>

namespace teleport {

lane_policy::look effort_watch::on_look(const link_sight& now, bool paced) {
  lane_policy::look seen;
  seen.acknowledged = now.acknowledged;
  seen.busy = !paced;
  std::uint64_t segments = 0;
  std::uint64_t resent = 0;
  before_.resize(now.lanes.size());
  for (std::size_t i = 0; i < now.lanes.size(); ++i) {
    if (!now.lanes[i]) {
      continue;
    }
    const link_effort& lane = *now.lanes[i];
    segments += lane.segments - before_[i].segments;
    resent += lane.resent - before_[i].resent;
    seen.busy = seen.busy && !lane.idle &&
                lane.peer_full_us - before_[i].peer_full_us < peer_full_us;
    before_[i] = lane;
  }
  seen.lossy = now.congestion_control == "bbr"
                   ? resent * much_lost_in >= segments
                   : resent > 0;
  return seen;
}

}  // namespace teleport
