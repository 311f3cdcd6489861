// SPDX-License-Identifier: LGPL-2.1-or-later

#include "index/scan_gate.hpp"

#include <thread>
#include <utility>

#include <poll.h>

namespace teleport::index {

scan_gate::scan_gate(pause_list pauses, std::string path)
    : pauses_(std::move(pauses)),
      path_(std::move(path)),
      // Sets the watch before it reads: in the other order a change in between
      // would be missed.
      watch_(folder_watch::open({pauses_.folder()}, pause_list::file_name)) {
  if (const auto now = pauses_.read()) {
    closed_ = now->covers(path_);
  }
}

bool scan_gate::changed() {
  return !watch_ || !watch_->all_watched() || watch_->drain();
}

bool scan_gate::closed() {
  if (changed()) {
    // A list that cannot be read now counts as it was read last.
    if (const auto now = pauses_.read()) {
      closed_ = now->covers(path_);
    }
  }
  return closed_;
}

void scan_gate::wait(std::chrono::milliseconds patience) {
  if (!watch_ || !watch_->all_watched()) {
    std::this_thread::sleep_for(patience);
    return;
  }
  pollfd event{watch_->fd(), POLLIN, 0};
  static_cast<void>(::poll(&event, 1, static_cast<int>(patience.count())));
}

}  // namespace teleport::index
