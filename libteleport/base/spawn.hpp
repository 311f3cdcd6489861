// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/spawn.hpp: starts another program.
//
// The program gets the descriptors that are named for it and no others, every
// signal's default action, and no blocked signal. child_program forks itself,
// because posix_spawn() cannot ask for a signal at the parent's death.
//
// Threads: any. Blocks: wait_until_exit().

#ifndef LIBTELEPORT_BASE_SPAWN_HPP
#define LIBTELEPORT_BASE_SPAWN_HPP

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "libteleport/base/error.hpp"

namespace teleport {

/// Which signals of a terminal, and of kill() for a group, reach the program.
enum class spawn_group {
  ours,         ///< those that reach us
  own,          ///< those for the program's own process group
  own_session,  ///< none of the terminal's
};

struct spawn_options {
  /// In `descriptors`: the program gets ours of the same number.
  static constexpr int inherited = -1;

  std::vector<std::string> argv;
  /// The program's file; empty: argv[0]. Looked up in PATH without a slash.
  std::string program;
  /// The program's descriptors 0, 1, 2, and so on.
  std::vector<int> descriptors{inherited, inherited, inherited};
  spawn_group group = spawn_group::ours;
  /// "NAME=value"; nullopt: ours.
  std::optional<std::vector<std::string>> environment;
};

/// A script without a line #! is run by /bin/sh.
///
/// @return the program's pid, which the caller has to wait for
/// @error errc::not_found when there is no such program; errc::system
[[nodiscard]] result<pid_t> spawn(spawn_options options);

/// Reaps a child. @return its status, as of waitpid()
int wait_until_exit(pid_t pid);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_SPAWN_HPP
