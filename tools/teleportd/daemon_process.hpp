// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/daemon_process.hpp: the daemon itself. It has
// teleport-listen listen while a host is paired (listening_part.hpp), has
// visitors received (reception.hpp), clears up after its sessions and starts
// the index's keeper.
//
// Threads: the loop; one pool thread waiting for each of these processes.

#ifndef TOOLS_TELEPORTD_DAEMON_PROCESS_HPP
#define TOOLS_TELEPORTD_DAEMON_PROCESS_HPP

#include <chrono>
#include <string>

#include "libteleport/base/service_notice.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/identity.hpp"
#include "tools/teleportd/fate_asker.hpp"
#include "tools/teleportd/listening_part.hpp"
#include "tools/teleportd/peer_watch.hpp"
#include "tools/teleportd/reception.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

class daemon_process {
 public:
  /// @param door  as listening_part has it
  daemon_process(settings options,
                 std::string settings_file,
                 std::string door,
                 service_notice systemd);

  /// Until SIGTERM or SIGINT; ends the process itself then.
  ///
  /// @return an exit code, where it could not begin
  int run();

 private:
  static constexpr std::chrono::seconds first_pause{1};

  void on_peers(const pinned_peers& peers);
  /// Tells systemd that this is up, and what it does.
  void tell_ready(const std::string& status);
  void tell_systemd(const std::string& lines);
  /// What a session leaves when it is killed, and what waits for an xl that is
  /// ending: again until nothing is left.
  void clear_leftovers_later(std::chrono::seconds pause);
  /// The keeper loses nothing by its end, whatever the reason: teleportd starts
  /// it again.
  void start_keeper();

  settings options_;
  std::string settings_file_;
  service_notice systemd_;
  // One waits for the keeper, one asks, one clears up.
  event_loop loop_{reception::threads() + listening_part::threads + 3};
  fate_asker asker_{loop_, options_, settings_file_};
  peer_watch watch_{loop_, options_.keys.peers, [this](const auto& peers) {
                      on_peers(peers);
                    }};
  reception reception_{loop_, options_, settings_file_, [this] {
                         clear_leftovers_later(std::chrono::seconds(0));
                       }};
  listening_part listening_;
  bool listens_ = false;  ///< while a host is paired
  int exit_code_ = 0;
  timer keeper_timer_;
  timer leftovers_timer_;
  std::chrono::seconds leftovers_pause_ = first_pause;
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_DAEMON_PROCESS_HPP
