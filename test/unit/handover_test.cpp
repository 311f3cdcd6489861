// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/unit/handover_test.cpp: at every instant at most one side may run the
// guest, and in the end exactly one does: by going through every order of
// deliveries, losses, deaths and failed writes there is.
//
// "May run" is: at the source, the guest runs or the driver may resume it at
// will, which ends when GO is sent and begins anew with `stay`; at the
// destination, the guest runs or xl has the permission to unpause it.

#include "libteleport/migrate/handover.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "test/support/catch.hpp"
#include "test/support/handover_model.hpp"

namespace teleport {

namespace {

/// Every world that can be reached, and what leads from one to another.
struct explored {
  std::map<handover_world, std::size_t> numbers;
  std::vector<const handover_world*> worlds;
  std::vector<std::size_t> parents;
  std::vector<const char*> how;
  /// Worlds from which one comes here without a fault.
  std::vector<std::vector<std::size_t>> before;
  std::vector<bool> stuck;  ///< nothing happens any more without a fault
  std::size_t steps = 0;
};

explored explore(const handover_rules& rules) {
  explored all;
  const auto number_of = [&](const handover_world& world,
                             std::size_t parent,
                             const char* how) {
    const auto [it, fresh] = all.numbers.try_emplace(world, all.worlds.size());
    if (fresh) {
      all.worlds.push_back(&it->first);
      all.parents.push_back(parent);
      all.how.push_back(how);
      all.before.emplace_back();
      all.stuck.push_back(true);
    }
    return it->second;
  };
  (void)number_of({}, 0, "the beginning");
  for (std::size_t at = 0; at < all.worlds.size(); ++at) {
    for (const handover_event& event : next_worlds(*all.worlds[at], rules)) {
      const std::size_t next = number_of(event.after, at, event.what);
      ++all.steps;
      if (!event.fault && next != at) {
        all.before[next].push_back(at);
        all.stuck[at] = false;
      }
    }
  }
  return all;
}

/// The shortest way to a world, for people.
std::string story(const explored& all, std::size_t at) {
  std::string text = describe(*all.worlds[at]);
  for (; at != 0; at = all.parents[at]) {
    text.insert(0, std::string(all.how[at]) + "\n");
  }
  return text;
}

/// An end as it should be: one copy, or nobody can know.
bool is_good_end(const handover_world& world) {
  switch (world.outcome) {
    case source_outcome::home:
      return source_may_run(world) && (world.guest == built_guest::none ||
                                       world.guest == built_guest::gone);
    case source_outcome::moved:
      return !source_may_run(world) && (world.guest == built_guest::runs ||
                                        world.guest == built_guest::ended);
    case source_outcome::uncertain:
      return world.outcome_lost && !source_may_run(world);
    case source_outcome::open:
      break;
  }
  return false;
}

bool has_two(const handover_world& world) {
  return source_may_run(world) && destination_may_run(world);
}

/// The story of the first world for which `is_bad`; empty if there is none.
template <class Predicate>
std::string first_story(const explored& all, Predicate is_bad) {
  for (std::size_t at = 0; at < all.worlds.size(); ++at) {
    if (is_bad(at)) {
      return story(all, at);
    }
  }
  return {};
}

/// Worlds from which a good end can be reached without another fault.
std::vector<bool> saved(const explored& all) {
  std::vector<bool> reaches(all.worlds.size());
  std::deque<std::size_t> open;
  for (std::size_t at = 0; at < all.worlds.size(); ++at) {
    if (all.stuck[at] && is_good_end(*all.worlds[at])) {
      reaches[at] = true;
      open.push_back(at);
    }
  }
  for (; !open.empty(); open.pop_front()) {
    for (const std::size_t from : all.before[open.front()]) {
      if (!reaches[from]) {
        reaches[from] = true;
        open.push_back(from);
      }
    }
  }
  return reaches;
}

}  // namespace

TEST_CASE(
    "whatever happens, at most one side may run the guest, and one does "
    "in the end",
    "[migrate]") {
  const explored all = explore({});
  INFO(all.worlds.size() << " worlds, " << all.steps << " steps");
  CHECK(all.worlds.size() > 1000);
  CHECK(first_story(all, [&](std::size_t at) {
          return has_two(*all.worlds[at]);
        }) == "");
  CHECK(first_story(all, [&](std::size_t at) {
          return all.stuck[at] && !is_good_end(*all.worlds[at]);
        }) == "");
  const std::vector<bool> reaches = saved(all);
  CHECK(first_story(all, [&](std::size_t at) { return !reaches[at]; }) == "");
}

TEST_CASE("uncertain is reached only where the outcome of GO was lost",
          "[migrate]") {
  const explored all = explore({});
  CHECK(first_story(all, [&](std::size_t at) {
          const handover_world& world = *all.worlds[at];
          return world.outcome == source_outcome::uncertain && !world.gave_up &&
                 !world.outcome_lost;
        }) == "");
}

TEST_CASE("both ends are reached, and so is uncertain", "[migrate]") {
  const explored all = explore({});
  for (const auto wanted : {source_outcome::moved,
                            source_outcome::home,
                            source_outcome::uncertain}) {
    CHECK(first_story(all, [&](std::size_t at) {
            return all.stuck[at] && all.worlds[at]->outcome == wanted;
          }) != "");
  }
}

TEST_CASE(
    "a daemon that reads the journal before the process is gone would "
    "run the guest twice",
    "[migrate]") {
  const explored all = explore({false, true});
  CHECK(first_story(all, [&](std::size_t at) {
          return has_two(*all.worlds[at]);
        }) != "");
}

TEST_CASE("a guest destroyed after GO must be journalled, or nobody knows",
          "[migrate]") {
  const explored all = explore({true, false});
  CHECK(first_story(all, [&](std::size_t at) {
          return has_two(*all.worlds[at]);
        }) == "");
  CHECK(first_story(all, [&](std::size_t at) {
          return all.worlds[at]->outcome == source_outcome::uncertain &&
                 all.worlds[at]->guest == built_guest::gone;
        }) != "");
}

TEST_CASE(
    "a daemon that took 'no entry' for 'abandoned' would run the guest twice",
    "[migrate]") {
  handover_rules rules;
  rules.asks_without_entry = false;
  const explored all = explore(rules);
  CHECK(first_story(all, [&](std::size_t at) {
          return has_two(*all.worlds[at]);
        }) != "");
}

TEST_CASE("events out of turn change nothing", "[migrate]") {
  using source = source_handover;
  source fresh;
  CHECK(fresh.on_result(true) == source::action::none);
  CHECK(fresh.on_journalled(true) == source::action::none);
  CHECK(fresh.on_fate(destination_fate::running) == source::action::none);
  CHECK(fresh.on_no_answer() == source::action::none);
  CHECK(fresh.at() == source::state::moving);
  CHECK(fresh.on_failure() == source::action::stay);
  CHECK(fresh.on_guest_received() == source::action::none);
  CHECK(fresh.on_result(true) == source::action::none);
  CHECK(fresh.on_failure() == source::action::none);
  CHECK(fresh.at() == source::state::home);

  using destination = destination_handover;
  destination made;
  CHECK(made.on_go() == destination::action::refuse);
  CHECK(made.on_journalled(true) == destination::action::none);
  CHECK(made.on_started(true) == destination::action::none);
  CHECK(made.on_failure() == destination::action::destroy);
  CHECK(made.on_built() == destination::action::none);
  CHECK(made.on_go() == destination::action::refuse);
  CHECK(made.on_failure() == destination::action::none);
  CHECK(made.at() == destination::state::over);
}

TEST_CASE("a second GO is refused", "[migrate]") {
  using destination = destination_handover;
  destination made;
  CHECK(made.on_built() == destination::action::journal_ready);
  CHECK(made.on_go() == destination::action::journal_go);
  CHECK(made.on_go() == destination::action::refuse);
  CHECK(made.on_journalled(true) == destination::action::start_guest);
  CHECK(made.on_go() == destination::action::refuse);
  CHECK(made.on_started(true) == destination::action::journal_running);
  CHECK(made.on_go() == destination::action::refuse);
}

}  // namespace teleport
