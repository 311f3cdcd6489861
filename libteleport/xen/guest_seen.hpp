// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/guest_seen.hpp: the guests of a host as its list has them,
// and what is found in it.
//
// Threads: any. Blocks: no.

#ifndef LIBTELEPORT_XEN_GUEST_SEEN_HPP
#define LIBTELEPORT_XEN_GUEST_SEEN_HPP

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace teleport {

enum class guest_state {
  running,
  paused,
  /// Shut down with reason SUSPEND: as a save leaves it.
  suspended,
  /// Shut down for any other reason, or crashed: its monitor restarts it,
  /// destroys it or leaves it.
  shut_down,
  /// Being destroyed, also by a process that was killed in it
  /// (domain_signs.hpp). It never runs again, and a backend may have its disks
  /// open: who comes next destroys it again (destruction.hpp).
  dying,
  absent,
};

/// "running", "paused", ...
[[nodiscard]] std::string_view name_of(guest_state state) noexcept;

/// Not here, or at its end: it does not run on by itself or by xl's unpause or
/// a resume.
[[nodiscard]] constexpr bool has_ended(guest_state state) noexcept {
  return state == guest_state::shut_down || state == guest_state::dying ||
         state == guest_state::absent;
}

/// A guest in the list of what is here.
struct guest_seen {
  std::uint32_t domid = 0;
  std::string name;
  guest_state state = guest_state::absent;
  std::string uuid;
  /// What it may use at most.
  std::uint64_t memory_kib = 0;
};

/// Those that have the uuid.
[[nodiscard]] std::vector<guest_seen> with_uuid(std::vector<guest_seen> all,
                                                const std::string& uuid);

/// The state of the one that is most alive: running before paused, suspended,
/// shut down and dying; absent when there is none.
[[nodiscard]] guest_state most_alive(const std::vector<guest_seen>& all);

}  // namespace teleport

#endif  // LIBTELEPORT_XEN_GUEST_SEEN_HPP
