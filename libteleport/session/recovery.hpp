// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/session/recovery.hpp: what is right for a teleport of which the
// source's journal has an entry and of which no process is left: after a kill,
// after a boot, for a person and for teleportd. The table is in PROTOCOL.md,
// section 6.8.
//
// Threads: pure functions.

#ifndef LIBTELEPORT_SESSION_RECOVERY_HPP
#define LIBTELEPORT_SESSION_RECOVERY_HPP

#include <cstdint>
#include <optional>

#include "libteleport/migrate/handover.hpp"
#include "libteleport/migrate/journal.hpp"

namespace teleport {

/// What the source's host has of the guest.
enum class remains : std::uint8_t {
  none,       ///< no domain of its uuid
  suspended,  ///< the very domain that left: of the entry's boot and number
  dying,      ///< the same, and its destruction was begun: it never resumes
  resumed,    ///< the same, and it runs or is paused: resumed by hand
  another,    ///< another domain of its uuid: started since
};

enum class recovery : std::uint8_t {
  nothing,     ///< the entry is closed
  resume,      ///< resume the domain; journal `home`
  runs_here,   ///< journal `home`
  start,       ///< end what is dying; bring the disks back; start; `home`
  clear_away,  ///< journal `moved`, destroy, set the disks aside, `cleared`
  came_back,  ///< it moved, and is here again: journal `cleared`, touch nothing
  ask,        ///< the destination
  runs_twice,  ///< an alarm: touch nothing
  unknown,     ///< touch nothing; a person may decide
};

/// What the entry and this host alone come to.
[[nodiscard]] recovery recovery_of(journal_state entry, remains here) noexcept;

/// What an answer comes to, the destination's or a person's.
///
/// @param fate  nullopt: there was none
/// @pre recovery_of() was `ask`
[[nodiscard]] recovery recovery_of(std::optional<destination_fate> fate,
                                   remains here) noexcept;

/// Whether the disks of an entry may lie here under names from which a guest
/// can be started though it may run elsewhere: set aside at boot.
[[nodiscard]] bool must_be_set_aside(journal_state entry) noexcept;

}  // namespace teleport

#endif  // LIBTELEPORT_SESSION_RECOVERY_HPP
