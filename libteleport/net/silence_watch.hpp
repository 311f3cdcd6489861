// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/net/silence_watch.hpp: when a peer that does not answer is lost.
// TCP alone would wait for a quarter of an hour, and with a limit
// (TCP_USER_TIMEOUT) it would take a peer that answers but has no room for more
// as silent, too: a destination whose disk pauses.
//
// Threads: one owner.

#ifndef LIBTELEPORT_NET_SILENCE_WATCH_HPP
#define LIBTELEPORT_NET_SILENCE_WATCH_HPP

#include <chrono>
#include <optional>

namespace teleport {

/// What the kernel knows of a peer.
struct peer_answers {
  bool owed = false;     ///< something was sent and is not yet acknowledged
  bool has_room = true;  ///< the window that the peer announced is open
  bool held = false;     ///< something waits here to be sent
  /// Since its last packet: an acknowledgement, or data of its own. The answers
  /// to what we sent may stand behind that data in a router's queue.
  std::chrono::milliseconds since_last{0};
  /// TCP's time-out for the first retransmission of a segment; each further one
  /// waits twice as long.
  std::chrono::milliseconds retransmission{0};
  std::chrono::milliseconds round_trip{0};
};

/// Pure: looked at each second. Connections without data under way are left to
/// the kernel's keep-alive packets.
class silence_watch {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  /// An interruption of so long is outlived. The peer's kernel acknowledges
  /// data at once, whatever its programs do; but it is asked at TCP's
  /// retransmissions alone.
  static constexpr std::chrono::seconds answer_limit{10};
  /// From the first retransmission after answer_limit to its answer, a round
  /// trip aside.
  static constexpr std::chrono::seconds answer_slack{1};
  /// A closed window is asked about ever more rarely: after a pause of T the
  /// next question comes as late as 2 T, and only then can an answer.
  static constexpr std::chrono::seconds closed_limit{60};

  /// For how long a peer with room may be silent.
  [[nodiscard]] static std::chrono::milliseconds limit_for(
      const peer_answers& answers);

  /// @return for how long the peer has been silent, where that is too long
  [[nodiscard]] std::optional<std::chrono::seconds> look(
      const peer_answers& answers, time_point now);

 private:
  /// A look this late means that this process stood still: what arrived
  /// meanwhile may not have been read yet.
  static constexpr std::chrono::seconds own_pause{3};

  std::optional<time_point> since_;  ///< when an answer was owed first
  time_point last_look_;
};

}  // namespace teleport

#endif  // LIBTELEPORT_NET_SILENCE_WATCH_HPP
