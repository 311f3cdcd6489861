// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportctl/jobs_top.hpp: `teleportctl top`: what runs here, drawn anew
// when a job tells how far it is.
//
// Threads: the main thread. Blocks: until SIGINT or SIGTERM.

#ifndef TOOLS_TELEPORTCTL_JOBS_TOP_HPP
#define TOOLS_TELEPORTCTL_JOBS_TOP_HPP

#include <cstddef>
#include <string>
#include <vector>

#include "libteleport/base/error.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// The text that draws the lines from the screen's upper left corner on.
///
/// @param columns  of a line; what is longer is cut
/// @param rows     of the screen; where there are more lines the last one says
///                 how many
[[nodiscard]] std::string screen_of(const std::vector<std::string>& lines,
                                    std::size_t columns,
                                    std::size_t rows);

/// @error errc::bad_input: standard output is no terminal; errc::system
[[nodiscard]] result<void> show_top(const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTCTL_JOBS_TOP_HPP
