// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/progress_view.hpp: shows progress once a second: one line
// that overwrites itself on a terminal, lines of JSON for programs, now and
// then a line in a log. SIGUSR1 brings a line in each style.

#ifndef XL_TELEPORT_SOURCE_PROGRESS_VIEW_HPP
#define XL_TELEPORT_SOURCE_PROGRESS_VIEW_HPP

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <unistd.h>

#include "libteleport/base/line_output.hpp"
#include "xl-teleport/source/report.hpp"

namespace teleport {

class progress_view {
 public:
  enum class style { none, terminal, lines, json };

  /// As standard error shows it: a line that overwrites itself on a terminal,
  /// lines elsewhere.
  [[nodiscard]] static style for_people();

  /// @param out  for JSON
  /// @param err  for people
  explicit progress_view(style how,
                         int out = STDOUT_FILENO,
                         int err = STDERR_FILENO);

  using clock = std::chrono::steady_clock;
  /// @param line  for people, whole
  using observer =
      std::function<void(const progress& now, const std::string& line)>;

  /// Tells each moment to `told` as well, whatever the style.
  void tell(observer told) { told_ = std::move(told); }

  /// Shows `now`, unless there is no room for it; fills in rate and ETA from
  /// what it saw before.
  void show(progress now, clock::time_point time);
  /// Clears the terminal's line.
  void end();

 private:
  /// Notes phase, rate and times, and fills them in.
  void measure(progress& now, clock::time_point time);

  style style_;
  observer told_;
  line_output out_;
  line_output err_;
  int err_fd_;
  clock::time_point last_time_;
  std::uint64_t last_sent_ = 0;
  std::optional<double> rate_;
  clock::time_point start_;
  move_phase phase_ = move_phase::connect;
  clock::time_point phase_start_;
  clock::time_point last_line_;
  bool shown_ = false;
};

}  // namespace teleport

#endif  // XL_TELEPORT_SOURCE_PROGRESS_VIEW_HPP
