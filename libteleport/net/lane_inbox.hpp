// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/lane_inbox.hpp: how a further connection of a link reaches
// the process that has the link. It arrives at teleportd's one port like any
// other, and gets a process like any other. Its preamble names the link: the
// process hands the socket over to the link's inbox, and ends.
//
// Trust: whoever reaches the port may name a link, if it can guess 16 random
//        bytes. What is handed over is a bare socket: TLS, the pinned key and
//        JOIN's secret are still to be checked.

#ifndef LIBTELEPORT_NET_LANE_INBOX_HPP
#define LIBTELEPORT_NET_LANE_INBOX_HPP

#include <functional>
#include <memory>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/wire/lane_records.hpp"

namespace teleport {

/// Looks at the first bytes of an accepted connection, and hands the socket
/// over to the process that its preamble names.
///
/// Blocks: until bytes have arrived, and no longer than a handshake may take.
///
/// @param run_path  the folder of the inboxes
/// @return false: it has no preamble, and is untouched
/// @error errc::peer_lost when it sends nothing; errc::not_found for no such
///        link
[[nodiscard]] result<bool> hand_over_to_link(int socket,
                                             const std::string& run_path);

/// A Unix socket that receives the sockets of one link's further lanes.
/// Threads: the loop's.
class lane_inbox {
 public:
  /// @param on_lane  called with each socket, whose preamble was read
  [[nodiscard]] static result<std::unique_ptr<lane_inbox>> open(
      event_loop& loop,
      const std::string& run_path,
      const lane_name& name,
      std::function<void(unique_fd)> on_lane);
  lane_inbox(const lane_inbox&) = delete;
  lane_inbox& operator=(const lane_inbox&) = delete;
  lane_inbox(lane_inbox&&) = delete;
  lane_inbox& operator=(lane_inbox&&) = delete;
  ~lane_inbox();

 private:
  struct state;
  explicit lane_inbox(std::shared_ptr<state> inner);
  std::shared_ptr<state> state_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LANE_INBOX_HPP
