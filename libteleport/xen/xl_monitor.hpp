// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/xl_monitor.hpp: the process that `xl create` leaves behind to
// reboot or clear away its guest when that ends.
//
// xl's monitor takes a guest that is suspended for one that has left, and ends:
// "Domain has suspended. Done. Exiting now." A guest that is resumed after that
// runs on, but its next reboot leaves a dead domain. So the monitor is stopped
// (SIGSTOP) before a teleport suspends the guest, and continued (SIGCONT) once
// the guest runs here again, or is gone: it looks at the domain as it is then.
//
// Threads: any. Blocks: on /proc and on the monitor's log.
// Trust:   a process counts by its program, its log and what it wrote there
//          last, all of which are root's.

#ifndef LIBTELEPORT_XEN_XL_MONITOR_HPP
#define LIBTELEPORT_XEN_XL_MONITOR_HPP

#include <cstdint>
#include <optional>
#include <string_view>

namespace teleport {

/// Stops the monitor of a domain.
/// @return false when there is none: another toolstack's, or one that has died
bool stop_monitor(std::uint32_t domid);

/// Lets the monitor of a domain go on. Does nothing to one that goes on.
/// @return false when there is none
bool continue_monitor(std::uint32_t domid);

/// The domain that a monitor watches, by its log.
[[nodiscard]] std::optional<std::uint32_t> watched_domain(
    std::string_view log) noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_XL_MONITOR_HPP
