// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/course_at.hpp: courses of sessions in a given state, led there
// by the calls that a driver makes.

#ifndef TEST_SUPPORT_COURSE_AT_HPP
#define TEST_SUPPORT_COURSE_AT_HPP

#include <array>

#include "libteleport/session/destination_course.hpp"
#include "libteleport/session/seed_destination_course.hpp"

namespace teleport {

/// In the order of PROTOCOL.md, section 3.6.
inline constexpr std::array destination_states = {
    destination_state::connected, destination_state::greeted,
    destination_state::foreign,   destination_state::offered,
    destination_state::answered,  destination_state::preparing,
    destination_state::disks,     destination_state::waiting,
    destination_state::turn,      destination_state::starting,
    destination_state::memory,    destination_state::flushing,
    destination_state::durable,   destination_state::ready,
    destination_state::committed, destination_state::asked,
    destination_state::seeding,   destination_state::leaving,
    destination_state::over,
};

/// In the order of PROTOCOL.md, section 7.
inline constexpr std::array seed_destination_states = {
    seed_destination_state::offered,
    seed_destination_state::asked,
    seed_destination_state::answered,
    seed_destination_state::refused,
    seed_destination_state::preparing,
    seed_destination_state::disks,
    seed_destination_state::keeping,
    seed_destination_state::over,
};

/// `durable` with the guest's whole stream in xl and the gate still shut;
/// `committed` with `go` journalled and xl at unpausing.
[[nodiscard]] destination_course destination_at(destination_state wanted);

[[nodiscard]] seed_destination_course seed_destination_at(
    seed_destination_state wanted);

}  // namespace teleport

#endif  // TEST_SUPPORT_COURSE_AT_HPP
