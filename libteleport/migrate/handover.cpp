// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/migrate/handover.hpp"

namespace teleport {

source_handover::action source_handover::on_guest_received() {
  if (state_ != state::moving) {
    return action::none;
  }
  state_ = state::committing;
  return action::journal_go;
}

source_handover::action source_handover::on_journalled(bool durable) {
  if (state_ != state::committing) {
    return action::none;
  }
  if (!durable) {
    // GO has not been sent: the guest stays here, whatever part of the journal
    // reached the disk.
    state_ = state::home;
    return action::stay;
  }
  state_ = state::asked;
  return action::send_go;
}

source_handover::action source_handover::on_result(bool runs_there) {
  if (state_ != state::asked) {
    return action::none;
  }
  state_ = runs_there ? state::moved : state::home;
  return runs_there ? action::finish : action::stay;
}

source_handover::action source_handover::on_failure() {
  switch (state_) {
    case state::moving:
    case state::committing:
      state_ = state::home;
      return action::stay;
    case state::asked:
      return action::ask_destination;
    case state::moved:
    case state::home:
    case state::uncertain:
      return action::none;
  }
  return action::none;
}

source_handover::action source_handover::on_fate(destination_fate fate) {
  if (state_ != state::asked) {
    return action::none;
  }
  switch (fate) {
    case destination_fate::running:
      state_ = state::moved;
      return action::finish;
    case destination_fate::abandoned:
      state_ = state::home;
      return action::stay;
    case destination_fate::uncertain:
      state_ = state::uncertain;
      return action::report_uncertain;
    case destination_fate::in_progress:
    case destination_fate::paused:
      return action::ask_destination;
  }
  return action::none;
}

source_handover::action source_handover::on_no_answer() {
  if (state_ != state::asked) {
    return action::none;
  }
  state_ = state::uncertain;
  return action::report_uncertain;
}

source_handover::action source_handover::recover() {
  state_ = state::asked;
  return action::ask_destination;
}

destination_handover::action destination_handover::on_built() {
  if (state_ != state::building) {
    return action::none;
  }
  state_ = state::ready;
  return action::journal_ready;
}

destination_handover::action destination_handover::on_go() {
  if (state_ != state::ready) {
    return action::refuse;
  }
  state_ = state::committing;
  return action::journal_go;
}

destination_handover::action destination_handover::on_journalled(bool durable) {
  if (state_ != state::committing) {
    return action::none;
  }
  if (!durable) {
    state_ = state::over;
    return action::destroy;
  }
  state_ = state::starting;
  return action::start_guest;
}

destination_handover::action destination_handover::on_started(bool runs) {
  if (state_ != state::starting) {
    return action::none;
  }
  state_ = runs ? state::running : state::over;
  return runs ? action::journal_running : action::journal_abandoned;
}

destination_handover::action destination_handover::on_failure() {
  switch (state_) {
    case state::building:
    case state::ready:
    case state::committing:
      state_ = state::over;
      return action::destroy;
    case state::starting:
    case state::running:
      return action::leave;
    case state::over:
      return action::none;
  }
  return action::none;
}

}  // namespace teleport
