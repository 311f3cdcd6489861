// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/lane_inbox.hpp: how a further connection of a link reaches
// the process that has the link. It arrives at the one port like any other. Its
// preamble names the link, and the process that listens passes the socket on to
// the one that has announced that name.
//
// Trust: whoever reaches the port may name a link, if it can guess 16 random
//        bytes. What is passed on is a bare socket: TLS, the pinned key and
//        JOIN's secret are still to be checked.

#ifndef LIBTELEPORT_NET_LANE_INBOX_HPP
#define LIBTELEPORT_NET_LANE_INBOX_HPP

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/wire/lane_records.hpp"

namespace teleport {

/// Bytes of the longest packet that an inbox sends.
inline constexpr std::size_t max_announcement_bytes = 64;

/// What the process that listens reads of an inbox's announcement.
/// @return nullopt: it is none
[[nodiscard]] std::optional<lane_name> read_announcement(
    std::string_view packet);

/// Passes a socket whose preamble was read on to an inbox.
///
/// @param inbox  the end of the inbox's socket that listens
result<void> pass_lane(int inbox, int socket);

/// The end of it that has a link.
/// Threads: the loop's.
class lane_inbox {
 public:
  /// @param socket  one of connected_sockets(SOCK_SEQPACKET)
  lane_inbox(event_loop& loop, unique_fd socket);
  lane_inbox(const lane_inbox&) = delete;
  lane_inbox& operator=(const lane_inbox&) = delete;
  lane_inbox(lane_inbox&&) = delete;
  lane_inbox& operator=(lane_inbox&&) = delete;
  ~lane_inbox();

  /// Asks for the sockets of this link.
  ///
  /// @param on_lane  called with each of them, until this goes
  result<void> open(const lane_name& name,
                    std::function<void(unique_fd)> on_lane);

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LANE_INBOX_HPP
