// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/lane_host.hpp: the destination's side of further lanes: when
// the source asks, sockets of its lanes are received from the process that
// listens, and those that know the secret join (PROTOCOL.md, 1.1).
//
// Threads: the loop's thread alone. Callbacks come from the loop, except those
// that a call says it makes.
// Trust:   a lane has to show the key that the first lane showed, and to know
//          the secret that was said on it.

#ifndef LIBTELEPORT_NET_LANE_HOST_HPP
#define LIBTELEPORT_NET_LANE_HOST_HPP

#include <functional>
#include <memory>
#include <optional>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/lane.hpp"
#include "libteleport/net/lane_inbox.hpp"
#include "libteleport/net/link_options.hpp"
#include "libteleport/net/told_keys.hpp"
#include "libteleport/wire/framer.hpp"
#include "libteleport/wire/lane_records.hpp"

namespace teleport {

class lane_host : public std::enable_shared_from_this<lane_host> {
 public:
  struct handlers {
    /// Lanes that there are.
    std::function<std::size_t()> lanes;
    /// Sends LANES, before all that waits.
    std::function<void(record_type, byte_span)> send_ahead;
    /// A lane has joined; `input` has what was received behind JOIN.
    std::function<void(std::shared_ptr<lane>, framer input)> on_joined;
  };

  /// @param inbox  where the lanes' sockets arrive
  /// @param told   counts in the place of the terms' files, where it is set
  /// @param first  the link's first lane
  lane_host(event_loop& loop,
            link_terms terms,
            std::unique_ptr<lane_inbox> inbox,
            told_keys_ptr told,
            std::shared_ptr<const lane> first,
            handlers callbacks);

  /// ASK_LANES came. Calls send_ahead().
  [[nodiscard]] result<void> on_ask(byte_span body);
  /// True once lanes can come in.
  [[nodiscard]] bool is_open() const noexcept { return is_open_; }

 private:
  void on_socket(unique_fd socket);
  void on_shaken_hands(const std::shared_ptr<lane>& made);

  event_loop& loop_;
  link_terms terms_;
  std::unique_ptr<lane_inbox> inbox_;
  told_keys_ptr told_;
  std::shared_ptr<const lane> first_;
  handlers callbacks_;
  std::optional<lane_ticket> ticket_;  ///< set: ASK_LANES has come
  bool is_open_ = false;
  std::size_t joining_ = 0;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LANE_HOST_HPP
