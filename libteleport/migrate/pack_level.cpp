// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/pack_level.hpp"

namespace teleport {

void pack_level::on_piece(std::size_t raw_bytes,
                          held_up_by cause,
                          time_point at) noexcept {
  if (!began_) {
    began_ = at;
  }
  if (bytes_ >= judged_bytes || (bytes_ != 0 && at - *began_ >= judged_time)) {
    judge(at);
  }
  bytes_ += raw_bytes;
  since_too_slow_ += raw_bytes;
  held_by_link_ += cause == held_up_by::link ? raw_bytes : 0;
  held_by_packing_ += cause == held_up_by::packing ? raw_bytes : 0;
  if (since_too_slow_ >= retry_bytes) {
    highest_ = ladder.size() - 1;
  }
}

void pack_level::judge(time_point at) noexcept {
  // The next level takes about twice the time: there must be room for it.
  const bool room = busy_ * 5 < (at - *began_) * 2;
  // On a slow processor blocks are still packed, or it would be the link that
  // pays for it.
  const bool quick =
      std::chrono::duration<double>(busy_).count() * bytes_a_second_of_plain <=
      static_cast<double>(bytes_);
  // Blocks that come in bursts wait for each other, and the link for them; only
  // a packer that hardly rests is what holds them up.
  const bool restless = busy_ * 3 > (at - *began_) * 2;
  if (held_by_packing_ * 4 > bytes_ && restless && step_ > (quick ? 0U : 1U)) {
    --step_;
    highest_ = step_;
    since_too_slow_ = 0;
  } else if (held_by_link_ * 4 > bytes_ * 3 && room && step_ < highest_) {
    ++step_;
  }
  began_ = at;
  busy_ = {};
  bytes_ = 0;
  held_by_link_ = 0;
  held_by_packing_ = 0;
}

}  // namespace teleport
