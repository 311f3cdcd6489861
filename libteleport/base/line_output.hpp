// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/line_output.hpp: lines for a terminal or a reader that may
// stand still (Ctrl-S, a pager, a log collector that hangs): a line that finds
// no room is dropped, and nobody waits for it. A suspended guest may wait for
// whoever writes.
//
// Threads: one owner; several outputs may share a descriptor.
// Blocks:  never, but on a regular file as a write to a disk does.

#ifndef LIBTELEPORT_BASE_LINE_OUTPUT_HPP
#define LIBTELEPORT_BASE_LINE_OUTPUT_HPP

#include <string_view>

#include "libteleport/base/unique_fd.hpp"

namespace teleport {

class line_output {
 public:
  /// @param fd  stays open for as long as this lives
  explicit line_output(int fd);

  /// Writes all of `text`, or what there is room for, or nothing.
  ///
  /// @return false when something of it was dropped
  bool write(std::string_view text);

 private:
  enum class kind { file, socket, stream };

  int fd_;
  kind kind_;
  /// The same pipe or terminal, opened anew: O_NONBLOCK on the descriptor that
  /// we were given would be the shell's, too.
  unique_fd own_;
  /// The last line was written in part: the next one begins on a new line.
  bool torn_ = false;
};

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_LINE_OUTPUT_HPP
