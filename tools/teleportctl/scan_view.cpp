// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/scan_view.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "index/scan_text.hpp"
#include "libteleport/base/progress_wish.hpp"
#include "libteleport/base/terminal.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

/// In a log, a line this often.
constexpr double log_seconds = 10;

constexpr std::size_t any_width = std::numeric_limits<std::size_t>::max();

}  // namespace

scan_view::scan_view(style how, std::string path, int fd)
    : style_(how), path_(std::move(path)), fd_(fd), out_(fd) {}

std::string scan_view::line_of(const index::scan_progress& now,
                               std::size_t columns) const {
  const std::string left = index::time_left(now, now.seconds);
  const std::string behind =
      fmt::format("  {:5.1f} % of {}{}",
                  percent_of(now.done_bytes, now.disk_bytes),
                  human_bytes(now.disk_bytes),
                  now.paused     ? "  paused"
                  : left.empty() ? ""
                                 : "  " + left + " left");
  return end_of_path(path_, columns - std::min(columns, behind.size())) +
         behind;
}

void scan_view::show(const index::scan_progress& now) {
  const bool wished = progress_wished();
  if (style_ == style::terminal) {
    const std::size_t columns = line_columns(fd_);
    (void)out_.write(
        (wished ? over_line("", 0) + line_of(now, any_width) + '\n' : "") +
        over_line(line_of(now, columns), columns));
  } else if (now.paused) {
    (void)out_.write(path_ +
                     ": paused; 'teleportctl index resume' lets it go on\n");
  } else if (wished || (style_ == style::lines &&
                        now.seconds >= told_at_ + log_seconds)) {
    told_at_ = now.seconds;
    (void)out_.write(line_of(now, any_width) + '\n');
  }
}

void scan_view::end() {
  if (style_ == style::terminal) {
    (void)out_.write(over_line("", 0));
  }
}

}  // namespace teleport
