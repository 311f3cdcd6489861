// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/scan_view.hpp: what is seen on standard error of one scan
// while it runs: one line that overwrites itself on a terminal, now and then a
// line elsewhere. SIGUSR1 brings a line in each style.
//
// Threads: one owner. Blocks: never.

#ifndef TOOLS_TELEPORTCTL_SCAN_VIEW_HPP
#define TOOLS_TELEPORTCTL_SCAN_VIEW_HPP

#include <cstddef>
#include <string>

#include <unistd.h>

#include "index/scanner.hpp"
#include "libteleport/base/line_output.hpp"

namespace teleport {

class scan_view {
 public:
  /// none: a scan that waits says so all the same.
  enum class style { none, terminal, lines };

  scan_view(style how, std::string path, int fd = STDERR_FILENO);

  void show(const index::scan_progress& now);
  /// Clears the terminal's line.
  void end();

 private:
  /// @param columns  of which the path has what the numbers leave
  [[nodiscard]] std::string line_of(const index::scan_progress& now,
                                    std::size_t columns) const;

  style style_;
  std::string path_;
  int fd_;
  line_output out_;
  double told_at_ = 0;  ///< seconds of the scan
};

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_SCAN_VIEW_HPP
