// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/handover_stepper.hpp: one world of handover_model.hpp on its way
// to the next, in three files: the source, the destination, and the daemon that
// answers a QUERY there.

#ifndef TEST_SUPPORT_HANDOVER_STEPPER_HPP
#define TEST_SUPPORT_HANDOVER_STEPPER_HPP

#include <cstddef>
#include <utility>
#include <vector>

#include "test/support/handover_model.hpp"

namespace teleport {

/// One world on its way to the next.
class stepper {
 public:
  stepper(const handover_world& from, const handover_rules& rules)
      : from_(from), rules_(rules) {}

  std::vector<handover_event> all() {
    source_events();
    source_faults();
    query_events();
    destination_events();
    destination_faults();
    guest_events();
    if (from_.link_up) {
      add(true, "the link breaks").link_up = false;
    }
    return std::move(events_);
  }

 private:
  using destination_action = destination_course::action;

  handover_world& add(bool fault, const char* what) {
    events_.push_back({from_, fault, what});
    return events_.back().after;
  }

  // What the source's driver does.
  static void drive_source(handover_world& world);
  static void source_failed(handover_world& world);
  static void follow_recovered(handover_world& world,
                               source_handover::action todo);
  static void restart_source(handover_world& world);
  static void source_dies(handover_world& world);
  static void source_is_told(handover_world& world, destination_fate fate);
  static void end_source_step(handover_world& world,
                              std::size_t step,
                              bool well);
  static void source_record(handover_world& world);
  void source_events();
  void save_events();
  void source_faults();
  void source_step_faults();

  // What the destination's does.
  void do_destination(handover_world& world,
                      const destination_course::actions& todo) const;
  void do_destination(handover_world& world, destination_action action) const;
  void end_step(handover_world& world, std::size_t step) const;
  void end_journal_write(handover_world& world,
                         std::size_t step,
                         bool durable) const;
  static void end_destination(handover_world& world);
  void destination_events();
  void destination_faults();
  void step_faults();
  void guest_events();

  // What its daemon does.
  void query_events();
  void daemon_events();

  const handover_world& from_;
  const handover_rules& rules_;
  std::vector<handover_event> events_;
};

}  // namespace teleport

#endif  // TEST_SUPPORT_HANDOVER_STEPPER_HPP
