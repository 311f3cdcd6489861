// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/fate_asker_test.cpp: which teleports teleportd takes up by itself,
// and when.

#include "tools/teleportd/fate_asker.hpp"

#include "test/support/catch.hpp"

namespace teleport {

namespace {

using ids = std::vector<std::string>;
using std::chrono::seconds;

constexpr asking_plan::clock::time_point start{};

journal_entry entry_of(journal_role role, journal_state state) {
  journal_entry entry;
  entry.role = role;
  entry.state = state;
  return entry;
}

}  // namespace

TEST_CASE("a teleport is asked for at once, then at intervals that double",
          "[asker]") {
  asking_plan plan;
  const ids waiting = {"a"};
  std::vector<seconds> asked;
  for (seconds time(0); time < seconds(2000); ++time) {
    if (!plan.due(waiting, start + time).empty()) {
      asked.push_back(time);
    }
  }
  CHECK(asked == std::vector<seconds>{seconds(0),
                                      seconds(10),
                                      seconds(30),
                                      seconds(70),
                                      seconds(150),
                                      seconds(310),
                                      seconds(610),
                                      seconds(910),
                                      seconds(1210),
                                      seconds(1510),
                                      seconds(1810)});
}

TEST_CASE("a teleport that waits anew is asked for at once", "[asker]") {
  asking_plan plan;
  CHECK(plan.due({"a"}, start) == ids{"a"});
  CHECK(plan.due({"a", "b"}, start + seconds(1)) == ids{"b"});
  CHECK(plan.due({"b"}, start + seconds(2)) == ids{});  // a process has it
  CHECK(plan.due({"a", "b"}, start + seconds(3)) == ids{"a"});
}

TEST_CASE("teleportd asks for what left and has no end, and nothing else",
          "[asker]") {
  const auto asks = [](journal_role role, journal_state state) {
    return is_to_be_asked(entry_of(role, state));
  };
  CHECK(asks(journal_role::source, journal_state::go));
  CHECK(asks(journal_role::source, journal_state::moved));
  // A guest that is suspended here may be so by others: a person decides.
  CHECK_FALSE(asks(journal_role::source, journal_state::moving));
  CHECK_FALSE(asks(journal_role::source, journal_state::home));
  CHECK_FALSE(asks(journal_role::source, journal_state::cleared));
  CHECK_FALSE(asks(journal_role::destination, journal_state::go));
}

}  // namespace teleport
