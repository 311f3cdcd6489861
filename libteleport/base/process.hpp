// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/process.hpp: runs another program and waits for it.
//
// No shell: the arguments reach the program as they are. The child gets three
// descriptors and nothing else of ours, the C locale, and no signal mask.
//
// Threads: any. Blocks: until the program ends or the timeout kills it.
// Trust:   output is capped; what is made of it is the caller's matter.

#ifndef LIBTELEPORT_BASE_PROCESS_HPP
#define LIBTELEPORT_BASE_PROCESS_HPP

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libteleport/base/error.hpp"

namespace teleport {

struct program_options {
  /// The program is killed when it has not ended by then.
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  /// Its standard input.
  std::string input;
  /// "NAME=value", in the place of ours of that name.
  std::vector<std::string> environment;
  /// More output than this is an error, and the program is killed.
  std::size_t max_output = std::size_t{1} << 20U;
  /// Takes what it writes to standard output piece by piece, however much it
  /// is; nothing of it is returned then. False kills the program.
  std::function<bool(std::string_view)> on_output;
  /// A descriptor: the program is killed once it can be read; -1: none.
  int stop = -1;
};

/// The full path of a program, looked up in PATH and then in the usual folders
/// when it has no slash; "" when there is none. A folder is no program.
[[nodiscard]] std::string find_program(const std::string& name);

/// Whether the file can be run. A folder, which may be entered, cannot.
///
/// @error errc::system, with the path and the system's reason
[[nodiscard]] result<void> check_program(const std::string& path);

/// Runs a program and returns what it wrote to standard output.
///
/// @param argv  the program (looked up in PATH when it has no slash) and its
///              arguments
/// @error errc::not_found when there is no such program; errc::timeout;
///        errc::cancelled when on_output wanted no more, or `stop` was told;
///        errc::system when it ended with another code than 0: the context
///        holds the command, the code and its standard error
[[nodiscard]] result<std::string> run_program(
    const std::vector<std::string>& argv, const program_options& options = {});

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_PROCESS_HPP
