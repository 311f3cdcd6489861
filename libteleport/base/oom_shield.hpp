// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/oom_shield.hpp: which processes the kernel ends first when
// memory is short.
//
// Threads: any.

#ifndef LIBTELEPORT_BASE_OOM_SHIELD_HPP
#define LIBTELEPORT_BASE_OOM_SHIELD_HPP

#include <string>

namespace teleport {

/// For a process that the daemon has started: the kernel's OOM killer spares
/// the daemon, whose unit says OOMScoreAdjust=, and nothing that a peer or a
/// disk makes large.
///
/// @param file  the process's own in /proc
void give_up_oom_shield(const std::string& file = "/proc/self/oom_score_adj");

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_OOM_SHIELD_HPP
