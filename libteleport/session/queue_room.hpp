// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/queue_room.hpp: how many bytes of the guest's memory may
// wait for the link. What waits is sent while the guest is suspended, if that
// is now: it is measured in time, and so in bytes by the link's rate.
//
// Threads: a plain value. Time and bytes are given, nothing is measured here.

#ifndef LIBTELEPORT_SESSION_QUEUE_ROOM_HPP
#define LIBTELEPORT_SESSION_QUEUE_ROOM_HPP

#include <chrono>
#include <cstddef>

#include "libteleport/base/units.hpp"
#include "libteleport/session/link_gauge.hpp"

namespace teleport {

class queue_room {
 public:
  /// What may wait, in time of the link. A turn of the loop and the coding of
  /// what libxl has ready take a few ms.
  static constexpr std::chrono::milliseconds wanted{100};
  /// As much as the kernel takes beyond what is under way
  /// (net/socket_tuning.cpp): a link is not kept waiting by it.
  static constexpr std::size_t least = 128_KiB;
  static constexpr std::size_t most = 4_MiB;
  /// Use that is shorter says little of the rate.
  static constexpr std::chrono::milliseconds measured{500};

  /// @param used  of the link, from its beginning
  void look(const link_use& used);
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  link_use seen_;
  std::size_t bytes_ = least;
};

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_QUEUE_ROOM_HPP
