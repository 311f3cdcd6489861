// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/pack_level.hpp"

namespace teleport {

void pack_level::on_piece(std::size_t raw_bytes, held_up_by cause) noexcept {
  bytes_ += raw_bytes;
  since_too_slow_ += raw_bytes;
  held_by_link_ += cause == held_up_by::link ? raw_bytes : 0;
  held_by_packing_ += cause == held_up_by::packing ? raw_bytes : 0;
  if (highest_ + 1 < ladder.size() && since_too_slow_ >= retry_bytes) {
    highest_ = ladder.size() - 1;
  }
  if (bytes_ < judged_bytes) {
    return;
  }
  if (held_by_packing_ * 4 > bytes_ && step_ > 0) {
    highest_ = step_ - 1;
    since_too_slow_ = 0;
    go_to(step_ - 1);
  } else if (held_by_link_ * 4 > bytes_ * 3 && step_ < highest_) {
    go_to(step_ + 1);
  } else {
    go_to(step_);
  }
}

void pack_level::go_to(std::size_t step) noexcept {
  step_ = step;
  bytes_ = 0;
  held_by_link_ = 0;
  held_by_packing_ = 0;
}

}  // namespace teleport
