// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/flush_plan.hpp"

#include <algorithm>

namespace teleport {

std::optional<flush_plan::time_point> flush_plan::due(std::uint64_t written,
                                                      bool live) const {
  const std::uint64_t wanted = live ? 1 : much;
  if (under_way_ || written - flushed_ < wanted) {
    return std::nullopt;
  }
  return next_;
}

void flush_plan::on_begun(std::uint64_t written, time_point now) {
  under_way_ = true;
  flushed_ = written;
  begun_ = now;
}

void flush_plan::on_flushed(time_point now) {
  under_way_ = false;
  next_ = now + std::max<time_point::duration>(shortest_pause,
                                               pause_factor * (now - begun_));
}

}  // namespace teleport
