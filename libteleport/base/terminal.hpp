// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/terminal.hpp: what a line that overwrites itself must know
// of the terminal.
//
// Threads: any.

#ifndef LIBTELEPORT_BASE_TERMINAL_HPP
#define LIBTELEPORT_BASE_TERMINAL_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace teleport {

/// Whether `fd` is a terminal on which a line can be written over: one that
/// knows escape sequences (TERM is neither "dumb" nor missing).
[[nodiscard]] bool is_screen(int fd);

/// How long a line may be on it now. Its last column stays free, as some
/// terminals wrap at that; it has 80 where it does not say.
[[nodiscard]] std::size_t line_columns(int fd);

/// How many lines it has now; 24 where it does not say.
[[nodiscard]] std::size_t screen_rows(int fd);

/// What writes `line` over the line that the cursor is in: of a longer one the
/// beginning, and no part of a character. A byte counts as a column: no
/// character of UTF-8 has more columns than bytes.
///
/// @param line  without control characters; "" leaves an empty line
[[nodiscard]] std::string over_line(std::string_view line, std::size_t columns);

/// The end of `path`, in `room` bytes at most, behind "..." where it was cut.
[[nodiscard]] std::string end_of_path(std::string_view path, std::size_t room);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_TERMINAL_HPP
