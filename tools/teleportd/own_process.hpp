// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/own_process.hpp: starts this same program again for a part of
// its work, so that a crash of that part harms no other.
//
// Threads: any.

#ifndef TOOLS_TELEPORTD_OWN_PROCESS_HPP
#define TOOLS_TELEPORTD_OWN_PROCESS_HPP

#include <string>
#include <vector>

#include <sys/types.h>

#include "libteleport/base/error.hpp"

namespace teleport {

/// Where the process finds the descriptor it was given.
inline constexpr int own_process_socket = 3;

/// @param name       its argv[0]
/// @param arguments  without argv[0]
/// @param given      become its descriptors from own_process_socket on
[[nodiscard]] result<pid_t> start_own_process(
    std::string name,
    std::vector<std::string> arguments,
    const std::vector<int>& given = {});

/// For such a process: ends it by SIGTERM when the one that started it ends,
/// and gives it its name for ps and top, which would show "exe".
void follow_parent(const char* name);

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_OWN_PROCESS_HPP
