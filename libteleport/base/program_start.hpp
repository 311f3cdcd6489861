// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/program_start.hpp: what a program of ours inherits from
// whoever has started it, and must not depend on.
//
// Threads: before any other is started.

#ifndef LIBTELEPORT_BASE_PROGRAM_START_HPP
#define LIBTELEPORT_BASE_PROGRAM_START_HPP

namespace teleport {

/// To be called first in main().
///
/// - Standard streams that are closed are /dev/null (standard_streams.hpp).
/// - A reader that goes away is an error of a write: SIGPIPE is ignored.
/// - SIGCHLD has its default action and is not blocked. A starter that ignores
///   it would take our children's exit codes from us; where it is blocked,
///   libxl never sees its save helper end.
void start_program();

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_PROGRAM_START_HPP
