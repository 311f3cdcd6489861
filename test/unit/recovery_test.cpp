// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/recovery_test.cpp: what is right for each entry of a source's
// journal, whatever is here of its guest. PROTOCOL.md, section 6.8.

#include "libteleport/session/recovery.hpp"

#include <array>

#include "test/support/catch.hpp"

namespace teleport {

namespace {

constexpr std::array all_remains = {remains::none,
                                    remains::suspended,
                                    remains::dying,
                                    remains::resumed,
                                    remains::another};

bool ends_in_a_guest_here(recovery what) {
  return what == recovery::resume || what == recovery::start ||
         what == recovery::runs_here;
}

}  // namespace

TEST_CASE("before GO the guest belongs here", "[recovery]") {
  CHECK(recovery_of(journal_state::moving, remains::none) == recovery::start);
  CHECK(recovery_of(journal_state::moving, remains::suspended) ==
        recovery::resume);
  CHECK(recovery_of(journal_state::moving, remains::dying) == recovery::start);
  CHECK(recovery_of(journal_state::moving, remains::resumed) ==
        recovery::runs_here);
  CHECK(recovery_of(journal_state::moving, remains::another) ==
        recovery::runs_here);
}

TEST_CASE("after GO the destination is asked, whatever runs here",
          "[recovery]") {
  for (const remains here : all_remains) {
    CHECK(recovery_of(journal_state::go, here) == recovery::ask);
  }
}

TEST_CASE("nothing is resumed or started that may run at the destination",
          "[recovery]") {
  for (const remains here : all_remains) {
    for (const auto fate : {std::optional(destination_fate::running),
                            std::optional(destination_fate::uncertain),
                            std::optional(destination_fate::in_progress),
                            std::optional(destination_fate::paused),
                            std::optional<destination_fate>()}) {
      CHECK_FALSE(ends_in_a_guest_here(recovery_of(fate, here)));
    }
    CHECK(ends_in_a_guest_here(recovery_of(destination_fate::abandoned, here)));
    CHECK_FALSE(ends_in_a_guest_here(recovery_of(journal_state::moved, here)));
  }
}

TEST_CASE("nothing is cleared away without the word that it runs there",
          "[recovery]") {
  for (const remains here : all_remains) {
    for (const auto fate : {std::optional(destination_fate::abandoned),
                            std::optional(destination_fate::uncertain),
                            std::optional(destination_fate::in_progress),
                            std::optional(destination_fate::paused),
                            std::optional<destination_fate>()}) {
      CHECK(recovery_of(fate, here) != recovery::clear_away);
    }
    CHECK(recovery_of(journal_state::moving, here) != recovery::clear_away);
  }
  for (const remains here :
       {remains::none, remains::suspended, remains::dying}) {
    CHECK(recovery_of(destination_fate::running, here) == recovery::clear_away);
    CHECK(recovery_of(journal_state::moved, here) == recovery::clear_away);
  }
}

TEST_CASE("what is half destroyed is never resumed", "[recovery]") {
  CHECK(recovery_of(destination_fate::abandoned, remains::dying) ==
        recovery::start);
  for (const auto entry : {journal_state::moving,
                           journal_state::go,
                           journal_state::moved,
                           journal_state::home,
                           journal_state::cleared}) {
    CHECK(recovery_of(entry, remains::dying) != recovery::resume);
    CHECK(recovery_of(entry, remains::dying) != recovery::runs_here);
  }
}

TEST_CASE("a guest that runs here and there is an alarm", "[recovery]") {
  for (const remains here : {remains::resumed, remains::another}) {
    CHECK(recovery_of(destination_fate::running, here) == recovery::runs_twice);
  }
  CHECK(recovery_of(journal_state::moved, remains::resumed) ==
        recovery::runs_twice);
  // It has been here again since, by a later teleport or by its start.
  CHECK(recovery_of(journal_state::moved, remains::another) ==
        recovery::came_back);
}

TEST_CASE("an entry that is closed asks for nothing", "[recovery]") {
  for (const remains here : all_remains) {
    CHECK(recovery_of(journal_state::home, here) == recovery::nothing);
    CHECK(recovery_of(journal_state::cleared, here) == recovery::nothing);
  }
  CHECK(must_be_set_aside(journal_state::go));
  CHECK(must_be_set_aside(journal_state::moved));
  CHECK_FALSE(must_be_set_aside(journal_state::moving));
  CHECK_FALSE(must_be_set_aside(journal_state::home));
  CHECK_FALSE(must_be_set_aside(journal_state::cleared));
}

}  // namespace teleport
