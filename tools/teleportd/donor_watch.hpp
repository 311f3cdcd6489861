// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/donor_watch.hpp: wakes when the set of disks that shall be
// indexed (donor_set.hpp) may have changed: a file came or went in a watched
// folder, a guest's disk in xenstore, a target in the book of kept disks, or a
// teleport's session ended. And when disks were paused or may be read again.
//
//   auto watch = donor_watch::open(options);
//   while (!stop) {
//     if (watch->wait(std::chrono::minutes(1)) || it is time) { look }
//   }
//
// A guest that starts, or a file that is copied, is many events in a row: the
// caller does best to look a second after the first.
//
// Threads: one owner. Blocks: wait(), for as long as it is told. libxenstore
// keeps a thread of its own while xenstored is connected.

#ifndef TOOLS_TELEPORTD_DONOR_WATCH_HPP
#define TOOLS_TELEPORTD_DONOR_WATCH_HPP

#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "libteleport/base/error.hpp"
#include "libteleport/base/folder_watch.hpp"
#include "libteleport/xen/xenstore.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

class donor_watch {
 public:
  /// Where xenstored does not run, the folders are watched alone, and it is
  /// looked for again every now and then.
  ///
  /// @error errc::system: no inotify to be had
  [[nodiscard]] static result<donor_watch> open(const settings& options);

  /// Waits until something has changed, the time is over, or a signal came.
  ///
  /// @param others  descriptors that end the wait once one can be read; -1:
  ///                none
  /// @return whether something may have changed
  bool wait(std::chrono::milliseconds patience,
            std::array<int, 2> others = {-1, -1});

 private:
  using clock = std::chrono::steady_clock;

  donor_watch(folder_watch folders, folder_watch pauses)
      : folders_(std::move(folders)), pauses_(std::move(pauses)) {}
  bool connect();
  enum class outcome { nothing, changed, interrupted };
  outcome wait_once(std::chrono::milliseconds patience,
                    const std::array<int, 2>& others);

  folder_watch folders_;
  folder_watch pauses_;  ///< the index's folder, which has other news too
  std::optional<xenstore> xenstore_;
  clock::time_point next_look_;
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_DONOR_WATCH_HPP
