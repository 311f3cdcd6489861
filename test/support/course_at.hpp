// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/course_at.hpp: courses of sessions in a given state, led there
// by the calls that a driver makes.

#ifndef TEST_SUPPORT_COURSE_AT_HPP
#define TEST_SUPPORT_COURSE_AT_HPP

#include <array>
#include <cstddef>

#include "libteleport/session/destination_course.hpp"
#include "libteleport/session/seed_destination_course.hpp"

namespace teleport {

/// In the order of PROTOCOL.md, section 3.6.
inline constexpr auto destination_states = [] {
  std::array<destination_state, destination_state_rows.size()> states{};
  for (std::size_t i = 0; i < states.size(); ++i) {
    states[i] = destination_state_rows[i].state;
  }
  return states;
}();

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
