// SPDX-License-Identifier: LGPL-2.1-or-later
//
// test/support/handover_stepper.hpp: one world of handover_model.hpp on its way
// to the next, in two files: the source with the daemon's answers, and the
// destination.

#ifndef TEST_SUPPORT_HANDOVER_STEPPER_HPP
#define TEST_SUPPORT_HANDOVER_STEPPER_HPP

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
    if (from_.link_up) {
      add(true, "the link breaks").link_up = false;
    }
    return std::move(events_);
  }

 private:
  handover_world& add(bool fault, const char* what) {
    events_.push_back({from_, fault, what});
    return events_.back().after;
  }

  // What the source's driver does.
  template <class Event>
  static void tell_source(handover_world& world, Event event);
  static void do_source(handover_world& world, source_handover::action action);
  static void restart_source(handover_world& world);
  static void end_source_write(handover_world& world, bool durable);
  void source_events();
  void source_faults();

  // What the destination's does.
  template <class Event>
  void tell_destination(handover_world& world, Event event) const;
  void do_destination(handover_world& world,
                      destination_handover::action action) const;
  void end_destination_write(handover_world& world, bool durable) const;
  static void end_destination(handover_world& world);
  void destination_events();
  void destination_faults();
  void guest_events();

  // What its daemon does.
  void query_events();
  void read_journal();
  void read_without_lock();
  static void answer(handover_world& world, destination_fate fate);

  const handover_world& from_;
  const handover_rules& rules_;
  std::vector<handover_event> events_;
};

}  // namespace teleport

#endif  // TEST_SUPPORT_HANDOVER_STEPPER_HPP
