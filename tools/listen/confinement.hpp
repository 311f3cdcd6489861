// SPDX-License-Identifier: LGPL-2.1-or-later
//
// tools/listen/confinement.hpp: what a process that speaks with strangers gives
// up before it does so.
//
// Threads: give_up_root() before there are others; confine() confines all that
// there are, and those that come.
// Blocks:  on /etc/passwd.

#ifndef TOOLS_LISTEN_CONFINEMENT_HPP
#define TOOLS_LISTEN_CONFINEMENT_HPP

#include "libteleport/base/error.hpp"

namespace teleport {

/// From now on this process has another user (listen_user), no group of root's,
/// no capability and no way to get one, and none of the same user may look into
/// it. Where it is not root's it is that user's already (the unit's).
result<void> give_up_root();

enum class confined {
  /// Accepts connections, and starts this same program for each.
  listener,
  /// Has what it needs: opens, makes and starts nothing any more.
  speaker,
};

/// From now on the kernel refuses every other system call (seccomp).
result<void> confine(confined part);

}  // namespace teleport

#endif  // TOOLS_LISTEN_CONFINEMENT_HPP
