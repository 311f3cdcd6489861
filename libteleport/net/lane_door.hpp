// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/lane_door.hpp: how a further connection of a link reaches the
// process that has the link. It comes in at teleportd's one port like any
// other, and gets a process like any other; but it begins with a preamble that
// names the link, and that process gives the socket on and ends.
//
// Trust: whoever reaches the port may name a link, if it can guess 16 random
//        bytes; what is given on is a bare socket, on which TLS, the pinned key
//        and JOIN's secret are still to come.

#ifndef LIBTELEPORT_NET_LANE_DOOR_HPP
#define LIBTELEPORT_NET_LANE_DOOR_HPP

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/loop.hpp"

namespace teleport {

using lane_name = std::array<std::byte, 16>;

/// What a further connection sends before its handshake (PROTOCOL.md, 1.1).
[[nodiscard]] byte_buffer lane_preamble(const lane_name& name);

/// Looks at the first bytes of an accepted connection, and gives the socket to
/// the process that its preamble names.
///
/// Blocks: until bytes have come, and no longer than a handshake may take.
///
/// @param run_path  the folder of the doors
/// @return false: it has no preamble, and is untouched
/// @error errc::peer_lost when it sends nothing; errc::not_found for no such link
[[nodiscard]] result<bool> hand_over_to_link(int socket,
                                             const std::string& run_path);

/// Threads: the loop's.
class lane_door {
 public:
  /// @param on_lane  called with each socket that comes, its preamble read
  [[nodiscard]] static result<std::unique_ptr<lane_door>> open(
      event_loop& loop,
      const std::string& run_path,
      const lane_name& name,
      std::function<void(unique_fd)> on_lane);
  lane_door(const lane_door&) = delete;
  lane_door& operator=(const lane_door&) = delete;
  lane_door(lane_door&&) = delete;
  lane_door& operator=(lane_door&&) = delete;
  ~lane_door();

 private:
  struct state;
  explicit lane_door(std::shared_ptr<state> inner);
  std::shared_ptr<state> state_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LANE_DOOR_HPP
