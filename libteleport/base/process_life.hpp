// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/base/process_life.hpp: one process, told from a later one of its
// number: its pid, its start and the boot in which it runs.
//
//   const auto process = open_life(noted);   // errc::not_found: it has ended
//   send_signal(*process, SIGINT);           // reaches that one or nobody
//
// Threads: any.

#ifndef LIBTELEPORT_BASE_PROCESS_LIFE_HPP
#define LIBTELEPORT_BASE_PROCESS_LIFE_HPP

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "libteleport/base/error.hpp"
#include "libteleport/base/unique_fd.hpp"

namespace teleport {

struct process_life {
  pid_t pid = 0;
  std::uint64_t start = 0;  ///< clock ticks from the boot to its start
  std::string boot;         ///< of boot_id.hpp

  friend bool operator==(const process_life&, const process_life&) = default;
};

/// This process; `start` is 0 where there is no /proc.
[[nodiscard]] process_life own_life();

/// The start in a text of /proc/PID/stat; nullopt: a zombie's, or no such text.
[[nodiscard]] std::optional<std::uint64_t> start_of_process(
    std::string_view stat);

/// @return a pidfd (pidfd.hpp) of this very process
/// @error errc::not_found when it has ended; errc::system
[[nodiscard]] result<unique_fd> open_life(const process_life& life);

[[nodiscard]] bool is_alive(const process_life& life);

}  // namespace teleport

#endif  // LIBTELEPORT_BASE_PROCESS_LIFE_HPP
