// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/teleportd/session_process.hpp: what `teleportd --session` does: speaks
// with the one that is connected to own_process_socket, until that is over.
//
// Threads: the loop and its pool.
// Trust:   nothing of the other side is known yet.

#ifndef TOOLS_TELEPORTD_SESSION_PROCESS_HPP
#define TOOLS_TELEPORTD_SESSION_PROCESS_HPP

#include "xl-teleport/setup/settings.hpp"

namespace teleport {

/// @return the process's exit code
[[nodiscard]] int run_session(const settings& options);

}  // namespace teleport

#endif  // TOOLS_TELEPORTD_SESSION_PROCESS_HPP
