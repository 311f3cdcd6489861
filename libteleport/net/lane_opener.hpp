// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/lane_opener.hpp: the source's side of further lanes: when one
// is not enough it asks the destination for more, and opens them (PROTOCOL.md,
// 1.1).
//
// Threads: the loop's thread alone. Callbacks come from the loop, except those
// that a call says it makes.

#ifndef LIBTELEPORT_NET_LANE_OPENER_HPP
#define LIBTELEPORT_NET_LANE_OPENER_HPP

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/net/effort_watch.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/lane.hpp"
#include "libteleport/net/lane_policy.hpp"
#include "libteleport/net/lane_quota.hpp"
#include "libteleport/net/link_options.hpp"
#include "libteleport/wire/framer.hpp"
#include "libteleport/wire/lane_records.hpp"

namespace teleport {

class lane_opener : public std::enable_shared_from_this<lane_opener> {
 public:
  struct handlers {
    /// The link's lanes now.
    std::function<link_sight()> look;
    /// Sends ASK_LANES, before all that waits.
    std::function<void(record_type, byte_span)> send_ahead;
    /// A lane has joined; `input` has what was received behind JOIN.
    std::function<void(std::shared_ptr<lane>, framer input)> on_joined;
  };

  /// @param first      the link's first lane
  lane_opener(event_loop& loop,
              link_terms terms,
              std::shared_ptr<const lane> first,
              handlers callbacks);

  /// Begins to look each second whether there are enough. May call look() and
  /// send_ahead().
  void begin();
  /// LANES came.
  [[nodiscard]] result<void> on_lanes(byte_span body);
  /// A rate of ours holds the link back.
  void on_paced() noexcept { was_paced_ = true; }

 private:
  void look_later();
  void look();
  void want(unsigned lanes);
  void ask();
  void open_one();
  void join(const std::shared_ptr<lane>& made);
  void failed(const error& cause);

  event_loop& loop_;
  link_terms terms_;
  std::shared_ptr<const lane> first_;
  handlers callbacks_;
  std::optional<lane_ticket> ticket_;  ///< set: ASK_LANES was sent
  bool was_answered_ = false;
  lane_quota quota_;
  lane_policy policy_;
  effort_watch watch_;
  bool was_paced_ = false;  ///< since the last look
  timer look_timer_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_LANE_OPENER_HPP
