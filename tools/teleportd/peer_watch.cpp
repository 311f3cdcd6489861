// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/peer_watch.hpp"

#include <chrono>
#include <utility>

#include "libteleport/base/log.hpp"

namespace teleport {

namespace {

/// Between two looks at what inotify has noted: some system calls.
constexpr std::chrono::milliseconds pause(500);

}  // namespace

peer_watch::peer_watch(event_loop& loop,
                       const std::string& folder,
                       std::function<void(const pinned_peers&)> on_change)
    : loop_(loop), folder_(folder), on_change_(std::move(on_change)) {
  auto opened = folder_watch::open({folder});
  if (opened) {
    watch_ = std::move(*opened);
  } else {
    log_warning(opened.error().context);
  }
  look();
}

void peer_watch::look() {
  timer_ = loop_.after(pause, [this] {
    const bool is_other = !watch_ || watch_->look_again();
    const bool has_changed = !watch_ || watch_->drain();
    if (is_other || has_changed) {
      const auto peers = pinned_peers::load(folder_);
      if (peers) {
        on_change_(*peers);
      } else {
        log_warning(peers.error().context);
      }
    }
    look();
  });
}

bool is_paired(const pinned_peers& peers, const std::string& host) {
  return peers.name_of(host).has_value();
}

}  // namespace teleport
