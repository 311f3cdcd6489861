// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/link_gauge.hpp: what a link carries, measured while more
// waits for it than it takes. Bytes that crossed while a disk or a processor
// was the slowest say nothing of the link.
//
// Threads: a plain value. Time and bytes are given, nothing is measured here.

#ifndef LIBTELEPORT_SESSION_LINK_GAUGE_HPP
#define LIBTELEPORT_SESSION_LINK_GAUGE_HPP

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace teleport {

/// Bytes that crossed while more waited, and how long that was.
struct link_use {
  std::uint64_t bytes = 0;
  std::chrono::nanoseconds time{0};

  friend link_use operator-(const link_use& all, const link_use& before) {
    return {all.bytes - before.bytes, all.time - before.time};
  }
  friend auto operator<=>(const link_use&, const link_use&) = default;
};

class link_gauge {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Called whenever the link has taken some of what was queued, and now and
  /// then in between.
  ///
  /// @param queued  bytes that wait for the link
  /// @param sent    bytes that have crossed it since its beginning
  void look(std::size_t queued, std::uint64_t sent, time_point now) {
    if (waited_) {
      used_.bytes += sent - sent_;
      used_.time += now - looked_;
    }
    waited_ = queued > 0;
    sent_ = sent;
    looked_ = now;
  }
  [[nodiscard]] const link_use& used() const noexcept { return used_; }

 private:
  link_use used_;
  bool waited_ = false;  ///< at the last look
  std::uint64_t sent_ = 0;
  time_point looked_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_LINK_GAUGE_HPP
