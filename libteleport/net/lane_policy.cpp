// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/lane_policy.hpp"

#include <algorithm>

namespace teleport {

void lane_policy::measure_from(const look& now, time_point at) {
  since_ = at;
  acknowledged_ = now.acknowledged;
  looks_ = 0;
  lossy_ = 0;
  started_ = true;
}

unsigned lane_policy::on_look(const look& now, time_point at) {
  if (!searching_) {
    return lanes_;
  }
  if (!now.busy || !started_ || at < settled_at_) {
    measure_from(now, at);
    return lanes_;
  }
  ++looks_;
  lossy_ += now.lossy ? 1 : 0;
  if (at - since_ < measured) {
    return lanes_;
  }
  const double rate = static_cast<double>(now.acknowledged - acknowledged_) /
                      std::chrono::duration<double>(at - since_).count();
  const bool worth_a_try =
      lanes_ == 1 ? lossy_ * 2 >= looks_ : rate >= rate_before_ * worth;
  if (worth_a_try && lanes_ < most_lanes) {
    rate_before_ = rate;
    lanes_ = std::min(lanes_ * 2, most_lanes);
    settled_at_ = at + settled;
  } else if (lanes_ > 1) {
    searching_ = false;
  }
  measure_from(now, at);
  return lanes_;
}

}  // namespace teleport
