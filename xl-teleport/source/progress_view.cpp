// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/progress_view.hpp"

#include <limits>
#include <string>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "libteleport/base/json_text.hpp"
#include "libteleport/base/progress_wish.hpp"
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

progress_view::progress_view(style how, int out, int err)
    : style_(how), out_(out), err_(err), err_fd_(err) {}

void progress_view::measure(progress& now, clock::time_point time) {
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
    // A connection that comes at once needs no line in a log.
    last_line_ = shown_ ? clock::time_point() : time;
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
}

void progress_view::show(progress now, clock::time_point time) {
  measure(now, time);
  const double elapsed = seconds_f(time - start_).count();
  const auto whole_line = [&] {
    return progress_line(now, elapsed, std::numeric_limits<std::size_t>::max());
  };
  if (told_) {
    told_(now, whole_line());
  }
  const bool wished = progress_wished();
  if (wished) {
    const bool on_screen = style_ == style::terminal;
    (void)err_.write((on_screen ? over_line("", 0) : "") + whole_line() + '\n');
  }
  switch (style_) {
    case style::none:
      break;
    case style::json:
      (void)out_.write(dump({{"progress", to_json(now)}}) + '\n');
      break;
    case style::terminal: {
      const std::size_t columns = line_columns(err_fd_);
      (void)err_.write(
          over_line(progress_line(now, elapsed, columns), columns));
      break;
    }
    case style::lines:
      if (!wished && time - last_line_ >= log_interval) {
        last_line_ = time;
        (void)err_.write(whole_line() + '\n');
      }
      break;
  }
}

void progress_view::end() {
  if (style_ == style::terminal && shown_) {
    (void)err_.write(over_line("", 0));
  }
}

}  // namespace teleport
