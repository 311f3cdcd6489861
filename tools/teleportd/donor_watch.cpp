// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportd/donor_watch.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <poll.h>

#include "index/pause_list.hpp"
#include "libteleport/base/log.hpp"
#include "libteleport/xen/running_disks.hpp"

namespace teleport {

namespace {

/// How often folders that are not there, and xenstored, are looked for again.
constexpr std::chrono::seconds look_again_after(10);

constexpr short gone = POLLHUP | POLLERR | POLLNVAL;

}  // namespace

result<donor_watch> donor_watch::open(const settings& options) {
  std::vector<std::string> folders = options.index_folders;
  // A session's end closes its lock's file there.
  folders.push_back(options.run_path);
  folders.push_back(options.kept_disks_path());
  auto watch = folder_watch::open(folders);
  auto pauses =
      folder_watch::open({options.index_path}, index::pause_list::file_name);
  if (!watch || !pauses) {
    return watch ? pauses.error() : watch.error();
  }
  donor_watch made(std::move(*watch), std::move(*pauses));
  static_cast<void>(made.connect());
  made.next_look_ = clock::now() + look_again_after;
  return made;
}

bool donor_watch::connect() {
  auto store = xenstore::open_socket();
  if (!store || !store->watch(disk_backends)) {
    log_debug(
        "guests' disks are not watched: " +
        (store ? std::string("xenstored refused") : store.error().context));
    return false;
  }
  xenstore_ = std::move(*store);
  return true;
}

donor_watch::outcome donor_watch::wait_once(std::chrono::milliseconds patience,
                                            const std::array<int, 2>& others) {
  // poll() passes over a negative descriptor.
  std::array<pollfd, 5> fds{pollfd{folders_.fd(), POLLIN, 0},
                            pollfd{xenstore_ ? xenstore_->fd() : -1, POLLIN, 0},
                            pollfd{pauses_.fd(), POLLIN, 0},
                            pollfd{others[0], POLLIN, 0},
                            pollfd{others[1], POLLIN, 0}};
  const int ready =
      ::poll(fds.data(), fds.size(), static_cast<int>(patience.count()));
  if (ready < 0) {
    return outcome::interrupted;
  }
  bool changed = fds[0].revents != 0 && folders_.drain();
  if (fds[1].revents != 0) {
    const bool lost = (fds[1].revents & gone) != 0;
    if (lost || xenstore_->drain_events() == 0) {
      // Readable with nothing to read: the connection is broken.
      xenstore_.reset();
    }
    changed = true;
  }
  changed = (fds[2].revents != 0 && pauses_.drain()) || changed;
  if (changed) {
    return outcome::changed;
  }
  return fds[3].revents != 0 || fds[4].revents != 0 ? outcome::interrupted
                                                    : outcome::nothing;
}

bool donor_watch::wait(std::chrono::milliseconds patience,
                       std::array<int, 2> others) {
  const clock::time_point end =
      clock::now() + std::max(patience, std::chrono::milliseconds(0));
  for (;;) {
    const clock::time_point now = clock::now();
    if (now >= next_look_) {
      next_look_ = now + look_again_after;
      if (xenstore_ && !xenstore_->answers()) {
        xenstore_.reset();
      }
      const bool found = !xenstore_ && connect();
      const bool came = folders_.look_again();
      if (pauses_.look_again() || came || found) {
        return true;
      }
    }
    const auto left = std::min(end, next_look_) - now;
    const outcome seen = wait_once(std::chrono::ceil<std::chrono::milliseconds>(
                                       std::max(left, clock::duration::zero())),
                                   others);
    if (seen != outcome::nothing) {
      return seen == outcome::changed;
    }
    if (clock::now() >= end) {
      return false;
    }
  }
}

}  // namespace teleport
