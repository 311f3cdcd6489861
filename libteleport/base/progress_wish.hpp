// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/progress_wish.hpp: SIGUSR1 asks a program that works for
// long how far it is, as dd(1) has it.
//
//   hold_progress_wishes();              // in main()
//   if (progress_wished()) { tell(); }   // now and then
//
// No handler runs: SIGUSR1 stays blocked, so that it interrupts no system call,
// also not one that a suspended guest waits for.
//
// Threads: hold_progress_wishes() before there is another one, as threads
// inherit the mask of their maker; progress_wished() any.

#ifndef LIBTELEPORT_BASE_PROGRESS_WISH_HPP
#define LIBTELEPORT_BASE_PROGRESS_WISH_HPP

namespace teleport {

/// From now on SIGUSR1 ends nobody, and waits for progress_wished().
void hold_progress_wishes();

/// Whether SIGUSR1 has come since the last call.
[[nodiscard]] bool progress_wished();

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_PROGRESS_WISH_HPP
