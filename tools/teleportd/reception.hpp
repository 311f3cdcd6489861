// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/reception.hpp: who has connected is asked of its speaker, a
// process without rights (tools/listen/speaker.hpp). A paired host gets a
// session, a process of its own (`teleportd --session`), as long as there are
// places (session_places.hpp); a stranger has nothing of root's.
//
// Threads: the loop's thread; one of the pool's waits for each speaker's
//          answer, and for each session.
// Trust:   a speaker may have been taken over by whoever has connected: it may
//          say that it speaks with any paired host, and has the host's key.

#ifndef TOOLS_TELEPORTD_RECEPTION_HPP
#define TOOLS_TELEPORTD_RECEPTION_HPP

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libteleport/base/packet.hpp"
#include "libteleport/base/rare_words.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/visit_records.hpp"
#include "tools/teleportd/session_places.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

class reception {
 public:
  /// @param settings_file    for the processes
  /// @param on_session_over  after each session's end
  reception(event_loop& loop,
            const settings& options,
            std::string settings_file,
            std::function<void()> on_session_over);

  /// A visit, with a speaker's two sockets.
  void accept(packet came);

  /// Threads of the pool that wait for speakers and sessions.
  [[nodiscard]] static unsigned threads() {
    return static_cast<unsigned>(most_strangers + session_places::most());
  }

  /// What a speaker was asked.
  struct newcomer {
    std::optional<introduction> who;  ///< nullopt: it has ended
    std::optional<paired_host> host;
    std::vector<std::string> keys;  ///< all of the host's
    std::size_t most_sessions = 0;
  };

 private:
  /// More than the listening part lets in (door.hpp), as some of those are
  /// about to end.
  static constexpr std::size_t most_strangers = 64;

  struct visit {
    std::string address;
    unique_fd speaker;
    unique_fd session;
  };

  void introduced(session_places::visitor number, const newcomer& came);
  /// @return whether it has one
  [[nodiscard]] bool give_session(session_places::visitor number,
                                  const visit& one,
                                  const newcomer& came);
  void warn(const std::string& sentence);

  event_loop& loop_;
  const settings& options_;
  std::string settings_file_;
  std::function<void()> on_session_over_;
  session_places places_;
  session_places::visitor next_ = 1;
  std::map<session_places::visitor, visit> visits_;  ///< not introduced yet
  rare_words rare_;
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_RECEPTION_HPP
