// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/convergence.hpp"

#include <algorithm>

#include "libteleport/base/units.hpp"

namespace teleport {

namespace {

/// A pass with less on the link says nothing of the link's rate, unless the
/// link needed long for it: the kernel's buffers swallow so much at once.
constexpr std::uint64_t min_measured_bytes = 1_MiB;
constexpr seconds min_measured_time{2};

/// The rate assumed until a pass has measured one, bytes/s: 10 Mbit/s, low on
/// purpose.
constexpr double cautious_rate = 1.25e6;

/// A dirty set this small is not worth another round trip.
constexpr std::uint64_t small_set_bytes = 1_MiB;

/// Rounds without getting a tenth smaller that show a guest writing as fast as
/// the link carries. More rounds would only move the same blocks again.
constexpr unsigned max_fruitless = 3;

/// Rounds at most, for a guest whose dirty set shrinks slowly.
constexpr unsigned max_rounds = 30;

}  // namespace

void convergence::on_pass(std::uint64_t link_bytes, seconds took) {
  const bool measured =
      link_bytes >= min_measured_bytes || took >= min_measured_time;
  if (measured && link_bytes > 0 && took.count() > 0) {
    // One slow moment does not make a link slow. A link that is slower for
    // real lowers the figure in a few passes.
    bytes_per_second_ = std::max(static_cast<double>(link_bytes) / took.count(),
                                 bytes_per_second_ / 2);
  }
}

double convergence::rate() const {
  return bytes_per_second_ > 0 ? bytes_per_second_ : cautious_rate;
}

seconds convergence::time_for(std::uint64_t bytes) const {
  return seconds(static_cast<double>(bytes) / rate());
}

next_step convergence::weigh(std::uint64_t dirty_bytes) {
  const seconds downtime = time_for(dirty_bytes);
  if (downtime <= budget_.wanted ||
      (dirty_bytes <= small_set_bytes && downtime <= budget_.longest)) {
    return next_step::start_memory;
  }
  if (dirty_bytes > smallest_ - smallest_ / 10) {
    ++fruitless_;
  } else {
    fruitless_ = 0;
  }
  smallest_ = std::min(smallest_, dirty_bytes);
  ++rounds_;
  if (fruitless_ < max_fruitless && rounds_ < max_rounds) {
    return next_step::another_round;
  }
  return downtime <= budget_.longest ? next_step::start_memory
                                     : next_step::give_up;
}

}  // namespace teleport
