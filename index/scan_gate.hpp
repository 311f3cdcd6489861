// SPDX-License-Identifier: LGPL-2.1-or-later
//
// index/scan_gate.hpp: may this disk be read now? What holds a scan while its
// disk is paused (pause_list.hpp). The kernel tells when the list changes
// (inotify), so that asking costs one call of the system.
//
// Threads: one at a time. Blocks: wait(), for as long as it is told.

#ifndef INDEX_SCAN_GATE_HPP
#define INDEX_SCAN_GATE_HPP

#include <chrono>
#include <string>

#include "index/pause_list.hpp"
#include "libteleport/base/error.hpp"
#include "libteleport/base/folder_watch.hpp"

namespace teleport::index {

class scan_gate {
 public:
  scan_gate(pause_list pauses, std::string path);

  /// Whether the disk is paused.
  [[nodiscard]] bool closed();
  /// Until the list may have changed, or the time is over.
  void wait(std::chrono::milliseconds patience);

 private:
  [[nodiscard]] bool changed();

  pause_list pauses_;
  std::string path_;
  result<folder_watch> watch_;  ///< without one the list is read each time
  bool closed_ = false;
};

}  // namespace teleport::index

#endif  // INDEX_SCAN_GATE_HPP
