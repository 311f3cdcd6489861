// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/course_at.hpp"

namespace teleport {

destination_course destination_at(destination_state wanted) {
  destination_course course;
  const auto record = [&](record_type type) {
    (void)course.on_record(type, true);
  };
  if (wanted == destination_state::connected) {
    return course;
  }
  record(record_type::hello);
  if (wanted == destination_state::foreign) {
    course.on_other_version();
    return course;
  }
  if (wanted == destination_state::asked ||
      wanted == destination_state::seeding) {
    record(wanted == destination_state::asked ? record_type::query
                                              : record_type::seed);
    return course;
  }
  if (wanted == destination_state::leaving ||
      wanted == destination_state::over) {
    (void)course.on_failure();
    if (wanted == destination_state::over) {
      (void)course.on_destroyed(false);
    }
    return course;
  }
  const auto there = [&] { return course.at() == wanted; };
  const auto lead = [&](auto event) {
    if (!there()) {
      event();
    }
  };
  lead([&] { record(record_type::offer); });
  lead([&] { (void)course.on_considered(true); });
  lead([&] { record(record_type::prepare); });
  lead([&] { (void)course.on_prepared(); });
  lead([&] { record(record_type::ask_turn); });
  lead([&] { (void)course.on_turn(); });
  lead([&] { record(record_type::guest_config); });
  lead([&] { course.on_xl_started(); });
  lead([&] { record(record_type::disks_complete); });
  lead([&] {
    (void)course.on_stream_complete();
    (void)course.on_flushed();
  });
  lead([&] {
    (void)course.on_gate_hook();
    (void)course.on_built();
    (void)course.on_journalled(journal_state::ready, true);
  });
  lead([&] {
    record(record_type::go);
    (void)course.on_journalled(journal_state::go, true);
  });
  return course;
}

seed_destination_course seed_destination_at(seed_destination_state wanted) {
  seed_destination_course course;
  const auto record = [&](record_type type) {
    (void)course.on_record(type, true);
  };
  if (wanted == seed_destination_state::asked) {
    record(record_type::prepare);
    return course;
  }
  if (wanted == seed_destination_state::refused) {
    (void)course.on_considered(false);
    return course;
  }
  const auto lead = [&](auto event) {
    if (course.at() != wanted) {
      event();
    }
  };
  lead([&] { (void)course.on_considered(true); });
  lead([&] { record(record_type::prepare); });
  lead([&] { (void)course.on_prepared(); });
  lead([&] { record(record_type::disks_complete); });
  lead([&] { (void)course.on_kept(); });
  return course;
}

}  // namespace teleport
