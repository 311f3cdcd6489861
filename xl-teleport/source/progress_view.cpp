// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/progress_view.hpp"

#include <limits>
#include <string>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "libteleport/base/json_text.hpp"
#include "libteleport/base/terminal.hpp"
#include "xl-teleport/source/progress_text.hpp"

namespace teleport {

namespace {

using seconds_f = std::chrono::duration<double>;

/// Weight of the newest second in the rate shown.
constexpr double rate_weight = 0.3;

/// In a log, a line this often.
constexpr std::chrono::seconds log_interval{10};

}  // namespace

progress_view::style progress_view::for_people() {
  return is_screen(STDERR_FILENO) ? style::terminal : style::lines;
}

progress_view::progress_view(style how)
    : style_(how), out_(how == style::json ? STDOUT_FILENO : STDERR_FILENO) {}

void progress_view::show(progress now, clock::time_point time) {
  if (style_ == style::none) {
    return;
  }
  const double passed = seconds_f(time - last_time_).count();
  if (!shown_) {
    start_ = time;
  } else if (passed > 0) {
    const double rate = static_cast<double>(now.sent - last_sent_) / passed;
    rate_ = rate_ ? *rate_ + (rate - *rate_) * rate_weight : rate;
  }
  if (!shown_ || now.phase != phase_) {
    phase_ = now.phase;
    phase_start_ = time;
    last_line_ = clock::time_point();
  }
  last_time_ = time;
  last_sent_ = now.sent;
  shown_ = true;
  now.rate = rate_.value_or(0);
  const double in_phase = seconds_f(time - phase_start_).count();
  if (now.done != 0 && now.total > now.done && in_phase > 1) {
    now.eta_seconds = in_phase * static_cast<double>(now.total - now.done) /
                      static_cast<double>(now.done);
  }
  const double elapsed = seconds_f(time - start_).count();
  switch (style_) {
    case style::none:
      break;
    case style::json:
      (void)out_.write(dump({{"progress", to_json(now)}}) + '\n');
      break;
    case style::terminal:
      (void)out_.write(
          '\r' + progress_line(now, elapsed, line_columns(STDERR_FILENO)) +
          "\x1b[K");
      break;
    case style::lines:
      if (time - last_line_ >= log_interval) {
        last_line_ = time;
        (void)out_.write(
            progress_line(
                now, elapsed, std::numeric_limits<std::size_t>::max()) +
            '\n');
      }
      break;
  }
}

void progress_view::end() {
  if (style_ == style::terminal && shown_) {
    (void)out_.write("\r\x1b[K");
  }
}

}  // namespace teleport
