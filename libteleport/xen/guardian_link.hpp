// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/guardian_link.hpp: what the two ends of a guardian's link
// agree on; for the sources of this folder and their tests only.

#ifndef LIBTELEPORT_XEN_GUARDIAN_LINK_HPP
#define LIBTELEPORT_XEN_GUARDIAN_LINK_HPP

#include <cstdint>
#include <string>
#include <string_view>

namespace teleport {

inline constexpr std::string_view guardian_flag = "--guardian";

/// Guardian to teleport: on watch.
inline constexpr char guardian_ready = 'R';
/// Teleport to guardian: not needed any more.
inline constexpr char guardian_released = 'r';
/// Teleport to guardian: it is about to pause the guest for a moment.
inline constexpr char guardian_pausing = 'P';
/// Teleport to guardian: the guest is not paused any more.
inline constexpr char guardian_unpaused = 'p';
/// Teleport to guardian: its save of the guest's memory is about to begin, and
/// will suspend the guest.
inline constexpr char guardian_saving = 'S';

/// Whether /proc/PID/cmdline (words ended by NULs) is that of libxl's helper
/// saving `domid`: HELPER --save-domain STREAM_FD BACK_CHANNEL_FD DOMID ...
/// (libxl_save_callout.c, Xen 4.6 to 4.20).
[[nodiscard]] bool is_save_helper(std::string_view cmdline,
                                  std::uint32_t domid);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_GUARDIAN_LINK_HPP
