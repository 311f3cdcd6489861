// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/pack_level.hpp"

#include <algorithm>

namespace teleport {

void pack_level::on_piece(std::size_t raw_bytes,
                          held_up_by cause,
                          time_point at) noexcept {
  if (in_vain_ != 0) {
    in_vain_ -= std::min<std::uint64_t>(in_vain_, raw_bytes);
    if (in_vain_ == 0) {
      began_.reset();
    }
    return;
  }
  if (!began_) {
    begin(at);
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

/// Whether the link took more than a higher level is worth.
bool pack_level::is_fast(time_point at) const noexcept {
  const double seconds = std::chrono::duration<double>(at - *began_).count();
  return static_cast<double>(packed_) > seconds * bytes_a_second_of_fast;
}

/// The packer is the bottleneck only when it hardly rests. Blocks that arrive
/// in bursts wait for each other, which says nothing about its speed.
bool pack_level::is_too_slow(time_point at) const noexcept {
  const bool restless = busy_ * 3 > (at - *began_) * 2;
  return restless && held_by_packing_ * 4 > bytes_;
}

void pack_level::judge(time_point at) noexcept {
  // The next level takes about twice the time: there must be room for it.
  const bool room = busy_ * 5 < (at - *began_) * 2;
  // A slow processor still packs at the lowest level: else the link carries
  // more bytes.
  const bool quick =
      std::chrono::duration<double>(busy_).count() * bytes_a_second_of_plain <=
      static_cast<double>(bytes_);
  const bool fast = is_fast(at);
  bool too_slow = false;
  if (fast && step_ != 0 && packed_ * 100 > bytes_ * 97) {
    in_vain_ = look_again_bytes;
  } else if (fast && step_ > 1) {
    step_ = highest_ = 1;
    since_too_slow_ = 0;
  } else if (is_too_slow(at) && step_ > (quick ? 0U : 1U)) {
    // A level above the first is left at once. The first is left when it was
    // too slow twice in a row: a lower one costs bytes, which the end of a
    // short shortage does not give back.
    if (step_ > first_step || was_too_slow_) {
      highest_ = --step_;
      since_too_slow_ = 0;
    } else {
      too_slow = true;
    }
  } else if (held_by_link_ * 4 > bytes_ * 3 && room && step_ < highest_) {
    ++step_;
  }
  was_too_slow_ = too_slow;
  begin(at);
}

void pack_level::begin(time_point at) noexcept {
  began_ = at;
  busy_ = {};
  bytes_ = 0;
  packed_ = 0;
  held_by_link_ = 0;
  held_by_packing_ = 0;
}

}  // namespace teleport
