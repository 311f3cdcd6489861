// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/door_channel.hpp: a session's process and the daemon about
// who has come. The session says once what became of the handshake, and is told
// what it may do.
//
// A session whose daemon has ended meanwhile may do all: nobody else is let in.
//
// Threads: any. Blocks: see each.

#ifndef TOOLS_TELEPORTD_DOOR_CHANNEL_HPP
#define TOOLS_TELEPORTD_DOOR_CHANNEL_HPP

#include <optional>
#include <string>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "tools/teleportd/door.hpp"

namespace teleport {

struct door_channel {
  unique_fd daemon;
  unique_fd session;
  [[nodiscard]] static result<door_channel> open();
};

/// What a session says.
struct introduction {
  bool is_paired = false;
  std::string text;  ///< the peer's key, or why nobody was let in
};

/// The daemon: waits for it. @return nullopt: the session ended without one
[[nodiscard]] std::optional<introduction> read_introduction(int channel);
/// The daemon's answer. Does not block.
void answer_with(permit may, int channel);

/// The session: says it, and waits some seconds for the answer.
[[nodiscard]] permit introduce(int channel, const introduction& who);

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_DOOR_CHANNEL_HPP
