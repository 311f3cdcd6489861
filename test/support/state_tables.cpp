// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/state_tables.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "libteleport/session/seed_course.hpp"
#include "libteleport/wire/format.hpp"
#include "test/support/course_at.hpp"
#include "test/support/marked_part.hpp"
#include "test/support/source_steps.hpp"

namespace teleport {

namespace {

/// Above every number of section 2.3.
constexpr std::uint16_t record_numbers = 64;

/// The records that `takes(type, all_proven)` says yes to. FAIL is left out: no
/// state refuses it.
template <class Accepts>
std::string accepted(Accepts accepts) {
  std::string names;
  for (std::uint16_t number = 0; number < record_numbers; ++number) {
    const auto type = static_cast<record_type>(number);
    if (type == record_type::fail || !accepts(type, true)) {
      continue;
    }
    names += names.empty() ? "" : ", ";
    names += name_of(type);
    names += accepts(type, false) ? "" : " (all proven)";
  }
  return names.empty() ? "none" : names;
}

std::string row(std::string_view state, const std::string& records) {
  return fmt::format("| {} | {} |\n", state, records);
}

std::string heading(std::string_view state) {
  return fmt::format("| {} | records that it accepts |\n|---|---|\n", state);
}

std::string of_destination() {
  std::string text = heading("state of the destination");
  for (const destination_state at : destination_states) {
    const destination_course course = destination_at(at);
    if (at == destination_state::seeding) {
      text += row(name_of(at), "as section 7 says");
      continue;
    }
    if (at == destination_state::leaving || at == destination_state::over) {
      text += row(name_of(at), "passes over all");
      continue;
    }
    text += row(name_of(at), accepted([&](record_type type, bool proven) {
                  destination_course copy = course;
                  return copy.on_record(type, proven).has_value();
                }));
  }
  return text;
}

std::string of_seed_destination() {
  std::string text = heading("state of a seed's destination");
  for (const seed_destination_state at : seed_destination_states) {
    const seed_destination_course course = seed_destination_at(at);
    text += row(name_of(at), accepted([&](record_type type, bool proven) {
                  seed_destination_course copy = course;
                  return copy.on_record(type, proven).has_value();
                }));
  }
  return text;
}

std::string of_source() {
  using source_steps::step;
  struct named {
    const char* name;
    step at;
  };
  constexpr std::array states = {
      named{"greeting", step::greeting},
      named{"offered", step::offered},
      named{"answered", step::answered},
      named{"preparing", step::preparing},
      named{"disks", step::bulk},
      named{"memory", step::memory},
      named{"memory, DISKS_COMPLETE sent", step::complete},
      named{"memory, DISKS_DURABLE here", step::durable},
      named{"memory, the end piece sent as well", step::sent},
      named{"ready", step::received},
      named{"committed", step::committed},
  };
  std::string text = heading("state of the source");
  const auto add = [&text](const char* name, const source_course& course) {
    text += row(name, accepted([&](record_type type, bool) {
                  return course.may_come(type).has_value();
                }));
  };
  for (const named& state : states) {
    add(state.name, source_steps::at(state.at).course);
    if (state.at == step::bulk) {
      add("disks, ASK_TURN sent", source_steps::at_waiting().course);
    }
  }
  for (const char* name : {"asking", "staying", "over"}) {
    text += row(name, "passes over all");
  }
  return text;
}

std::string of_seed_source() {
  std::string text = heading("state of a seed's source");
  seed_course course;
  const auto add = [&] {
    text += row(name_of(course.at()), accepted([&](record_type type, bool) {
                  return course.may_come(type).has_value();
                }));
  };
  course.on_connected(false);
  add();
  (void)course.on_record(record_type::hello);
  add();
  (void)course.on_record(record_type::answer);
  add();
  (void)course.on_attached(true);
  add();
  (void)course.on_record(record_type::prepared);
  add();
  course.on_pass_done();
  course.on_weighed(0);
  add();
  return text;
}

std::string mark(const std::string& name, std::string_view end) {
  return fmt::format("<!-- {}: {} -->\n", name, end);
}

}  // namespace

std::vector<state_table> state_tables() {
  return {{"states of the destination", of_destination()},
          {"states of the source", of_source()},
          {"states of a seed's destination", of_seed_destination()},
          {"states of a seed's source", of_seed_source()}};
}

std::string table_in(const std::string& document, const std::string& name) {
  return marked_part(document, mark(name, "from the code"), mark(name, "end"));
}

std::string with_tables(std::string document) {
  for (const state_table& table : state_tables()) {
    document = with_marked_part(std::move(document),
                                mark(table.name, "from the code"),
                                mark(table.name, "end"),
                                table.text);
  }
  return document;
}

}  // namespace teleport
