// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/standard_streams.hpp: standard input, output and error of a
// program that somebody else has started.
//
// Threads: before any other is started, and after the last one has ended.

#ifndef LIBTELEPORT_BASE_STANDARD_STREAMS_HPP
#define LIBTELEPORT_BASE_STANDARD_STREAMS_HPP

#include "libteleport/base/error.hpp"

namespace teleport {

/// Opens /dev/null for each of the three that is closed (`program >&-`): a disk
/// or a socket that is opened later would have its number, and a report would
/// be written there. To be called first in main().
void open_standard_streams();

/// Writes what std::cout has still.
///
/// @error errc::no_space and others: something of it was never written. A
///        reader that has gone has read what it wanted, and is no error.
[[nodiscard]] result<void> flush_standard_output();

/// Flushes standard output as a program's last act, and says on standard error
/// what went wrong.
///
/// @param program  its name, which begins the sentence
/// @param code     the exit code so far
/// @param failed   the exit code in the place of 0 where a text was lost
[[nodiscard]] int code_when_told(const char* program, int code, int failed);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_STANDARD_STREAMS_HPP
