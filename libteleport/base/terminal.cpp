// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/base/terminal.hpp"

#include <algorithm>
#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace teleport {

namespace {

constexpr std::size_t usual_rows = 24;
constexpr std::size_t usual_columns = 80;

/// A byte inside a character of UTF-8.
bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

}  // namespace

bool is_screen(int fd) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it
  const char* const term = std::getenv("TERM");
  const std::string_view name = term == nullptr ? "" : term;
  return ::isatty(fd) == 1 && !name.empty() && name != "dumb";
}

std::size_t line_columns(int fd) {
  winsize size{};
  const bool is_known = ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col != 0;
  return (is_known ? size.ws_col : usual_columns) - 1;
}

std::size_t screen_rows(int fd) {
  winsize size{};
  const bool is_known = ::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row != 0;
  return is_known ? size.ws_row : usual_rows;
}

std::string over_line(std::string_view line, std::size_t columns) {
  constexpr std::string_view clear_rest = "\x1b[K";
  std::size_t end = std::min(columns, line.size());
  while (end != 0 && end < line.size() && continues(line[end])) {
    --end;
  }
  return '\r' + std::string(line.substr(0, end)) + std::string(clear_rest);
}

std::string end_of_path(std::string_view path, std::size_t room) {
  constexpr std::string_view dots = "...";
  if (path.size() <= room) {
    return std::string(path);
  }
  path.remove_prefix(path.size() -
                     (room > dots.size() ? room - dots.size() : 0));
  while (!path.empty() && continues(path.front())) {
    path.remove_prefix(1);
  }
  return std::string(dots) + std::string(path);
}

}  // namespace teleport
