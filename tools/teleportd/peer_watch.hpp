// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/peer_watch.hpp: tells when a host was paired or unpaired.
//
// Threads: the loop's thread alone.

#ifndef TOOLS_TELEPORTD_PEER_WATCH_HPP
#define TOOLS_TELEPORTD_PEER_WATCH_HPP

#include <functional>
#include <optional>
#include <string>

#include "libteleport/base/folder_watch.hpp"
#include "libteleport/net/event_loop.hpp"
#include "libteleport/net/identity.hpp"

namespace teleport {

class peer_watch {
 public:
  /// @param on_change  called soon after the folder has changed
  peer_watch(event_loop& loop,
             const std::string& folder,
             std::function<void(const pinned_peers&)> on_change);

 private:
  void look();

  event_loop& loop_;
  std::string folder_;
  std::function<void(const pinned_peers&)> on_change_;
  std::optional<folder_watch> watch_;  ///< nullopt: there is no inotify
  timer timer_;
};

/// Whether a host is paired that was first paired with this key.
[[nodiscard]] bool is_paired(const pinned_peers& peers,
                             const std::string& host);

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_PEER_WATCH_HPP
