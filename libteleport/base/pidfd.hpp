// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/pidfd.hpp: a descriptor of a process, which never names a
// later process of its number, and can be read once that process has ended.
//
//   const auto process = open_pidfd(pid);
//   send_signal(*process, SIGTERM);
//   const bool ended = ends_within(*process, 5s);
//
// SIGCHLD is libxl's in every program that opens it (libxl_event.h): a wait
// for a child that is to end at other news, too, polls its pidfd.
//
// Threads: any. Blocks: ends_within().

#ifndef LIBTELEPORT_BASE_PIDFD_HPP
#define LIBTELEPORT_BASE_PIDFD_HPP

#include <chrono>

#include <sys/types.h>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

/// "The process 812 has ended", errc::not_found.
[[nodiscard]] error ended_process(pid_t pid);

/// @param pid  a child that was not waited for yet; any other process has to
///             be recognised after the descriptor was opened
/// @error errc::not_found when there is no such process; errc::system
[[nodiscard]] result<unique_fd> open_pidfd(pid_t pid);

/// @error errc::not_found when it has ended; errc::system
result<void> send_signal(const unique_fd& process, int signal);

/// Waits for the end of a process; a child stays a zombie until wait().
///
/// @return false when it goes on after `limit`
[[nodiscard]] bool ends_within(const unique_fd& process,
                               std::chrono::milliseconds limit);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_PIDFD_HPP
