// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/teleportctl/jobs_top.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <iostream>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "libteleport/base/folder_watch.hpp"
#include "libteleport/base/terminal.hpp"
#include "tools/teleportctl/jobs_text.hpp"
#include "xl-teleport/setup/job_files.hpp"

namespace teleport {

namespace {

/// Without an event: jobs whose processes were killed tell nothing, and their
/// folder may come.
constexpr std::chrono::milliseconds look_again_after{2000};

// Escape sequences of ECMA-48 and xterm: the other screen, and back; the upper
// left corner; nothing in the rest of the screen.
constexpr const char* other_screen = "\x1b[?1049h\x1b[?25l";
constexpr const char* first_screen = "\x1b[?25h\x1b[?1049l";
constexpr const char* corner = "\x1b[H";
constexpr const char* rest_of_screen = "\x1b[J";

std::atomic<bool> stop_flag = false;
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void ask_top_to_stop(int /*signal*/) {
  stop_flag = true;
}

/// Without SA_RESTART: a signal ends a wait.
void catch_end() {
  struct sigaction action {};
  action.sa_handler = ask_top_to_stop;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

/// The terminal's other screen, for as long as this lives.
class borrowed_screen {
 public:
  borrowed_screen() { std::cout << other_screen << std::flush; }
  borrowed_screen(const borrowed_screen&) = delete;
  borrowed_screen& operator=(const borrowed_screen&) = delete;
  borrowed_screen(borrowed_screen&&) = delete;
  borrowed_screen& operator=(borrowed_screen&&) = delete;
  ~borrowed_screen() { std::cout << first_screen << std::flush; }
};

std::vector<std::string> lines_of(const std::vector<job>& running) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  std::vector<std::string> lines{
      fmt::format("{:%H:%M:%S}  {} {} here; Ctrl-C ends this view alone",
                  parts,
                  running.size(),
                  running.size() == 1 ? "job" : "jobs"),
      ""};
  for (const job& one : running) {
    lines.push_back(line_of_job(one));
  }
  return lines;
}

}  // namespace

std::string screen_of(const std::vector<std::string>& lines,
                      std::size_t columns,
                      std::size_t rows) {
  // A line's end in the last row would scroll the screen.
  const std::size_t room = std::max<std::size_t>(rows, 2) - 1;
  const std::size_t shown =
      lines.size() <= room ? lines.size() : std::max<std::size_t>(room, 1) - 1;
  std::string text = corner;
  for (std::size_t i = 0; i < shown; ++i) {
    text += over_line(lines[i], columns) + '\n';
  }
  if (shown < lines.size()) {
    text +=
        over_line(fmt::format("and {} more", lines.size() - shown), columns) +
        '\n';
  }
  return text + rest_of_screen;
}

result<void> show_top(const settings& options) {
  if (!is_screen(STDOUT_FILENO)) {
    return error(errc::bad_input,
                 "standard output is no terminal: see 'teleportctl jobs'");
  }
  auto watch = folder_watch::open({running_jobs_path(options)});
  if (!watch) {
    return watch.error();
  }
  catch_end();
  const borrowed_screen screen;
  while (!stop_flag && std::cout.good()) {
    const auto running = running_jobs(options);
    if (!running) {
      return running.error();
    }
    std::cout << screen_of(lines_of(*running),
                           line_columns(STDOUT_FILENO),
                           screen_rows(STDOUT_FILENO))
              << std::flush;
    pollfd changed{watch->fd(), POLLIN, 0};
    if (::poll(&changed, 1, static_cast<int>(look_again_after.count())) > 0) {
      static_cast<void>(watch->drain());
    }
    static_cast<void>(watch->look_again());
  }
  return {};
}

}  // namespace teleport
