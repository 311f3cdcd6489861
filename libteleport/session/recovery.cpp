// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/recovery.hpp"

namespace teleport {

namespace {

/// The guest belongs here and nowhere else.
recovery of_guest_here(remains here) noexcept {
  switch (here) {
    case remains::none:
    case remains::dying:
      return recovery::start;
    case remains::suspended:
      return recovery::resume;
    case remains::resumed:
    case remains::another:
      return recovery::runs_here;
  }
  return recovery::unknown;
}

}  // namespace

recovery recovery_of(journal_state entry, remains here) noexcept {
  switch (entry) {
    case journal_state::moving:
      return of_guest_here(here);  // GO was never sent
    case journal_state::go:
      return recovery::ask;  // whatever runs here: it may run there as well
    case journal_state::moved:
      return here == remains::resumed   ? recovery::runs_twice
             : here == remains::another ? recovery::came_back
                                        : recovery::clear_away;
    default:
      return recovery::nothing;
  }
}

recovery recovery_of(std::optional<destination_fate> fate,
                     remains here) noexcept {
  if (fate == destination_fate::abandoned) {
    return of_guest_here(here);
  }
  if (fate == destination_fate::running) {
    return here == remains::resumed || here == remains::another
               ? recovery::runs_twice
               : recovery::clear_away;
  }
  return recovery::unknown;
}

bool must_be_set_aside(journal_state entry) noexcept {
  return entry == journal_state::go || entry == journal_state::moved;
}

}  // namespace teleport
