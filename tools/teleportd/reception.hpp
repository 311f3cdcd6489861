// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/reception.hpp: gives every connection a process of its own
// (`teleportd --session`), as long as there are places (door.hpp). A further
// connection of a link that is here goes to that link's process.
//
// Threads: the loop's thread; one of the pool's waits for each process.
// Trust:   whoever connects is unknown until its process says who it is.

#ifndef TOOLS_TELEPORTD_RECEPTION_HPP
#define TOOLS_TELEPORTD_RECEPTION_HPP

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <sys/types.h>

#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/event_loop.hpp"
#include "tools/teleportd/door.hpp"
#include "tools/teleportd/door_channel.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

class reception {
 public:
  /// @param settings_file    for the processes
  /// @param on_session_over  after each process's end
  reception(event_loop& loop,
            const settings& options,
            std::string settings_file,
            std::function<void()> on_session_over);

  void accept(unique_fd socket, const std::string& address);

  /// Threads of the pool that wait for processes and links.
  [[nodiscard]] static unsigned threads() {
    return door::most_visitors() + most_ending + most_handed_over;
  }

 private:
  /// Further connections of links on their way to the links' processes.
  static constexpr unsigned most_handed_over = 4;
  /// Sessions that were refused or dropped, and are about to end.
  static constexpr unsigned most_ending = 16;

  struct visit {
    pid_t pid = -1;
    std::string address;
    unique_fd socket;  ///< until it is known to be a paired host's
    unique_fd channel;
  };

  struct newcomer {
    std::optional<introduction> who;
    std::size_t most_sessions = 0;  ///< of a paired host
  };

  /// Then waits for the session's end.
  void introduced(door::visitor number, const newcomer& came);
  /// A further connection of a link that is here costs no process.
  void hand_over(unique_fd socket, const std::string& address);
  /// @return whether a whole preamble has arrived, and a thread is free for it
  [[nodiscard]] bool is_lane_of_link(int socket) const;
  void warn(const std::string& sentence);

  event_loop& loop_;
  const settings& options_;
  std::string settings_file_;
  std::function<void()> on_session_over_;
  door door_;
  std::map<door::visitor, visit> visits_;
  rare_words rare_;
  unsigned handed_over_ = 0;
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_RECEPTION_HPP
