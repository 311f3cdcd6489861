// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/joining_lane.hpp: JOIN, at either end of a further lane: the
// source says the link's secret, the destination answers with an empty one
// (PROTOCOL.md, 1.1).
//
// Threads: the loop's thread alone.
// Trust:   the peer's key was checked; whether it knows the secret is found
// here.

#ifndef LIBTELEPORT_NET_JOINING_LANE_HPP
#define LIBTELEPORT_NET_JOINING_LANE_HPP

#include <functional>
#include <memory>
#include <optional>

#include "libteleport/base/bytes.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/lane.hpp"
#include "libteleport/wire/framer.hpp"
#include "libteleport/wire/lane_records.hpp"
#include "libteleport/wire/slice_order.hpp"

namespace teleport {

class joining_lane : public std::enable_shared_from_this<joining_lane> {
 public:
  /// Once, never from inside begin(): what was received behind JOIN; nullopt:
  /// the lane may not join, and is closed.
  using joined_handler = std::function<void(std::optional<framer>)>;

  /// The source: says JOIN and waits for the answer.
  static void ask(event_loop& loop,
                  std::shared_ptr<lane> link,
                  const lane_secret& secret,
                  joined_handler joined);
  /// The destination: waits for JOIN and answers.
  static void answer(event_loop& loop,
                     std::shared_ptr<lane> link,
                     const lane_secret& secret,
                     joined_handler joined);

  joining_lane(std::shared_ptr<lane> link,
               byte_buffer wanted,
               bool answers,
               joined_handler joined);

 private:
  void begin(event_loop& loop);
  void on_bytes(byte_span bytes);
  void on_written();
  void fail();
  void tell(std::optional<framer> outcome);

  std::shared_ptr<lane> lane_;
  byte_buffer wanted_;  ///< the body of the peer's JOIN
  bool answers_;        ///< the destination: once the peer has said it
  joined_handler joined_;
  framer input_{max_slice_body};
  timer deadline_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_JOINING_LANE_HPP
