// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/destination_course.hpp"

#include <string>

#include <fmt/format.h>

#include "libteleport/session/greeting.hpp"

namespace teleport {

namespace {

using state = destination_state;

/// The state alone allows the record. What else it needs, on_record() asks.
bool allows(state at, record_type type) noexcept {
  switch (type) {
    case record_type::hello:
      return at == state::connected;
    case record_type::query:
      return at == state::greeted || at == state::foreign;
    case record_type::offer:
    case record_type::seed:
      return at == state::greeted;
    case record_type::prepare:
      return at == state::answered;
    case record_type::extents:
    case record_type::block_digests:
    case record_type::ask_turn:
      return at == state::disks;
    case record_type::guest_config:
      return at == state::turn;
    case record_type::extent_data:
      return at == state::disks || at == state::waiting || at == state::turn ||
             at == state::memory;
    case record_type::disks_complete:
      return at == state::memory;
    case record_type::stream_piece:
      return at == state::memory || at == state::flushing ||
             at == state::durable;
    case record_type::go:
      return at == state::ready;
    default:
      return type == record_type::fail;
  }
}

}  // namespace

result<destination_course::actions> destination_course::on_record(
    record_type type, bool all_proven) {
  if (at_ == state::leaving || at_ == state::over) {
    return actions();  // its sender has been told, or is about to see, the end
  }
  if (!allows(at_, type)) {
    return out_of_state(record_sender::source, type, name_of(at_));
  }
  switch (type) {
    case record_type::hello:
      at_ = state::greeted;
      return actions{action::greet};
    case record_type::offer:
      if (offers_ == most_offers) {
        return error(
            errc::protocol,
            fmt::format("the source sent more than {} OFFERs", most_offers));
      }
      ++offers_;
      at_ = state::offered;
      return actions{action::consider};
    case record_type::query:
      at_ = state::asked;
      return actions{action::answer_query};
    case record_type::seed:
      at_ = state::seeding;
      return actions{action::receive_seed};
    case record_type::prepare:
      at_ = state::preparing;
      return actions{action::prepare};
    case record_type::extents:
    case record_type::block_digests:
    case record_type::extent_data:
      return actions{action::rebuild};
    case record_type::ask_turn:
    case record_type::guest_config:
    case record_type::disks_complete:
      if (!all_proven) {
        return error(errc::protocol,
                     std::string(name_of(type)) +
                         " before every extent of the disks is proven");
      }
      if (type == record_type::ask_turn) {
        return on_last_proof();
      }
      if (type == record_type::guest_config) {
        at_ = state::starting;
        return actions{action::start_xl};
      }
      at_ = state::flushing;
      return actions{action::flush};
    case record_type::stream_piece:
      return actions{action::feed_xl};
    case record_type::go:
      return on_go();
    default:  // FAIL
      return on_failure();
  }
}

void destination_course::on_other_version() noexcept {
  if (at_ == state::greeted) {
    at_ = state::foreign;
  }
}

destination_course::actions destination_course::on_query_answered() {
  return at_ == state::asked ? succeed() : actions();
}

destination_course::actions destination_course::on_considered(bool welcome) {
  if (at_ != state::offered) {
    return {};
  }
  at_ = welcome ? state::answered : state::greeted;
  return {action::send_answer};
}

destination_course::actions destination_course::on_prepared() {
  if (at_ != state::preparing) {
    return {};
  }
  at_ = state::disks;
  return {action::send_prepared};
}

destination_course::actions destination_course::on_last_proof() {
  if (at_ != state::disks) {
    return {};
  }
  at_ = state::waiting;
  return {action::take_turn};
}

destination_course::actions destination_course::on_turn() {
  if (at_ != state::waiting) {
    return {};
  }
  at_ = state::turn;
  return {action::send_turn};
}

void destination_course::on_xl_started() noexcept {
  if (at_ == state::starting) {
    at_ = state::memory;
  }
}

destination_course::actions destination_course::on_stream_complete() {
  gate_.stream_complete();
  return open_when_ready();
}

destination_course::actions destination_course::on_flushed() {
  if (at_ != state::flushing) {
    return {};
  }
  // EXTENT_DATA has been refused since DISKS_COMPLETE: what was flushed is all.
  at_ = state::durable;
  gate_.disks_proven();
  gate_.disks_durable();
  actions todo{record_type::disks_durable};
  for (const step& next : open_when_ready()) {
    todo.push_back(next);
  }
  return todo;
}

destination_course::actions destination_course::open_when_ready() const {
  return gate_.may_open() ? actions{action::run_gate_hook} : actions();
}

result<byte_span> destination_course::on_gate_hook() {
  return gate_.open();
}

destination_course::actions destination_course::on_built() {
  if (at_ == state::leaving || at_ == state::over) {
    return {};
  }
  // Only xl itself could say so before it was given the stream's END.
  if (at_ != state::durable || !gate_.is_open()) {
    return on_failure();
  }
  return follow(handover_.on_built());
}

/// GUEST_RECEIVED has been sent, so `ready` is on stable storage.
destination_course::actions destination_course::on_go() {
  at_ = state::committed;
  return follow(handover_.on_go());
}

destination_course::actions destination_course::on_journalled(
    journal_state written, bool durable) {
  if (writing_ != written) {
    return {};  // the session has failed since
  }
  writing_.reset();
  switch (written) {
    case journal_state::ready:
      if (!durable) {
        return on_failure();
      }
      at_ = state::ready;
      return {record_type::guest_received};
    case journal_state::go:
      return follow(handover_.on_journalled(durable));
    case journal_state::running:
      // A fact and no promise: it is told even when it could not be journalled.
      at_ = state::over;
      succeeded_ = true;
      return {action::send_go_result, action::hand_disks_to_guest};
    case journal_state::abandoned: {
      const bool destroyed = at_ == state::leaving;
      at_ = state::over;
      if (destroyed) {
        return {action::put_disks_back};
      }
      // A promise that is not durable is not given: the source asks.
      return durable ? actions{action::send_go_result, action::put_disks_back}
                     : actions{action::end};
    }
    default:
      return {};
  }
}

destination_course::actions destination_course::on_started(bool runs) {
  if (at_ != state::committed) {
    return {};
  }
  const auto todo = handover_.on_started(runs);
  runs_ = todo == destination_handover::action::journal_running;
  return follow(todo);
}

destination_course::actions destination_course::on_xl_failed() {
  if (handover_.at() != destination_handover::state::starting) {
    return on_failure();
  }
  if (at_ != state::committed) {
    return {};  // it is over already
  }
  // GO was given to xl, and xl died before it said what came of it. The journal
  // says `go`: who answers the source's QUERY looks at Xen.
  at_ = state::over;
  return {action::end};
}

destination_course::actions destination_course::on_failure() {
  if (at_ == state::leaving || at_ == state::over) {
    return {};
  }
  return follow(handover_.on_failure());
}

destination_course::actions destination_course::on_refused() {
  const bool given = at_ == state::committed;
  actions todo = on_failure();
  if (given && todo.empty()) {
    // The guest runs or is about to: the journal tells what came of it.
    todo = {action::send_fail, action::close_link};
  }
  return todo;
}

destination_course::actions destination_course::on_destroyed(bool gone) {
  if (at_ != state::leaving) {
    return {};
  }
  if (!gone) {
    at_ = state::over;
    return {action::end};
  }
  return write(journal_state::abandoned, action::journal_abandoned);
}

destination_course::actions destination_course::on_disks_left() const {
  return at_ == state::over ? actions{action::end} : actions();
}

destination_course::actions destination_course::on_seeded() {
  return at_ == state::seeding ? succeed() : actions();
}

destination_course::actions destination_course::succeed() {
  at_ = state::over;
  succeeded_ = true;
  return {action::end};
}

destination_course::actions destination_course::write(journal_state entry,
                                                      action how) {
  writing_ = entry;
  return {how};
}

destination_course::actions destination_course::leave() {
  at_ = state::leaving;
  gate_.shut();
  writing_.reset();
  return {action::send_fail, action::destroy};
}

destination_course::actions destination_course::follow(
    destination_handover::action todo) {
  using handed = destination_handover::action;
  switch (todo) {
    case handed::none:
    case handed::leave:
      return {};
    case handed::journal_ready:
      return write(journal_state::ready, action::journal_ready);
    case handed::journal_go:
      return write(journal_state::go, action::journal_go);
    case handed::start_guest:
      return {action::unpause};
    case handed::journal_running:
      return write(journal_state::running, action::journal_running);
    case handed::journal_abandoned:
      return write(journal_state::abandoned, action::journal_abandoned);
    case handed::refuse:  // the state allows GO where the handover does
    case handed::destroy:
      return leave();
  }
  return {};
}

}  // namespace teleport
