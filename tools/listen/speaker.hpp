// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/listen/speaker.hpp: what `teleport-listen --speak` does: shakes hands
// on one accepted connection, asks teleportd whose key it is, and passes the
// records of a paired host on to that host's session. A process of its own for
// each connection, so that who takes one over has no other's.
//
// Threads: the loop, and a pool that is not used.
// Trust:   nothing of the other side is known yet.

#ifndef TOOLS_LISTEN_SPEAKER_HPP
#define TOOLS_LISTEN_SPEAKER_HPP

namespace teleport {

/// Where a speaker finds its sockets.
inline constexpr int speaker_source = 3;   ///< the accepted connection
inline constexpr int speaker_daemon = 4;   ///< packets to and from teleportd
inline constexpr int speaker_session = 5;  ///< records to and from the session
inline constexpr int speaker_lanes = 6;    ///< packets to and from the listener

/// A speaker's packet to the process that listens: it speaks with a paired
/// host.
inline constexpr const char* known_host = "known";

/// @return the process's exit code
[[nodiscard]] int run_speaker();

}  // namespace teleport

#endif  // TOOLS_LISTEN_SPEAKER_HPP
