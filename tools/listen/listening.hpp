// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/listen/listening.hpp: the process that has the listening socket. It
// reads no more of a connection than its first bytes: where these are a
// preamble, the socket goes to the process that has the link; where it is let
// in (door.hpp), it gets a speaker (speaker.hpp), and teleportd the other ends
// of that one's sockets. A connection that says nothing has no process.
//
// Threads: one.
// Trust:   nothing of who connects is known.

#ifndef TOOLS_LISTEN_LISTENING_HPP
#define TOOLS_LISTEN_LISTENING_HPP

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/types.h>

#include "libteleport/base/error.hpp"
#include "libteleport/base/rare_words.hpp"
#include "libteleport/base/unique_fd.hpp"
#include "libteleport/net/listener.hpp"
#include "libteleport/net/network_list.hpp"
#include "libteleport/wire/lane_records.hpp"
#include "tools/listen/door.hpp"

namespace teleport {

class listening {
 public:
  /// @param daemon     packets to and from teleportd
  /// @param arguments  of this program, for its speakers
  listening(unique_fd daemon, std::vector<std::string> arguments);

  /// Waits for teleportd's order, and listens until that one ends, or closes
  /// the socket between them.
  ///
  /// @return the process's exit code
  int run();

 private:
  using time_point = std::chrono::steady_clock::time_point;

  struct newcomer {
    unique_fd socket;
    std::string address;
    time_point until;
  };
  struct speaker {
    pid_t pid = -1;
    std::string address;
    unique_fd source;   ///< until its key is known: to disconnect it
    unique_fd lanes;    ///< until the link is at its end
    unique_fd process;  ///< readable once it has ended
    std::optional<lane_name> link;
  };

  [[nodiscard]] result<void> receive_order();
  /// @return false once teleportd has ended
  bool turn();
  void accept_all();
  void welcome(accepted_socket came);
  void drop(door::visitor number);
  /// @return whether it is not waited for any more
  bool look_at(door::visitor number, newcomer& one, short events);
  enum class lane { none, passed, nobodys };
  /// A connection that begins as a further one of a link goes to that link.
  [[nodiscard]] lane pass_on(const unique_fd& socket);
  void give_speaker(door::visitor number, newcomer one);
  void hear(door::visitor number, speaker& one);
  /// @return whether the speaker has ended
  bool reap(door::visitor number, const speaker& one);
  void warn(const std::string& sentence);

  unique_fd daemon_;
  std::vector<std::string> arguments_;
  unique_fd socket_;
  network_list from_;
  door door_;
  std::map<door::visitor, newcomer> newcomers_;
  std::map<door::visitor, speaker> speakers_;
  rare_words rare_;
  time_point deaf_until_;  ///< after a failed accept()
};

}  // namespace teleport

#endif  // TOOLS_LISTEN_LISTENING_HPP
