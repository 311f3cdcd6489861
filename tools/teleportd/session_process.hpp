// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/session_process.hpp: what `teleportd --session` does for
// a paired host, whose records arrive at own_process_socket from the process
// that speaks with it (tools/listen/speaker.hpp), until that is over.
//
// Threads: the loop and its pool.
// Trust:   a record was decoded by that process, and may come from whoever has
//          taken it over: it is decoded here once more.

#ifndef TOOLS_TELEPORTD_SESSION_PROCESS_HPP
#define TOOLS_TELEPORTD_SESSION_PROCESS_HPP

#include <string>

#include "tools/teleportd/session_places.hpp"
#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// @param key  that the host was first paired with
/// @return the process's exit code
[[nodiscard]] int run_session(const settings& options,
                              const std::string& key,
                              permit may);

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_SESSION_PROCESS_HPP
