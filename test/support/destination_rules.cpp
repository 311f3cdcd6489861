// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/destination_rules.hpp"

namespace teleport {

void destination_rules::require(bool holds, const char* rule) {
  if (!holds && broken_.empty()) {
    broken_ = rule;
  }
}

void destination_rules::record(record_type type, bool all_proven) {
  const destination_state before = course_.at();
  const auto todo = course_.on_record(type, all_proven);
  if (!todo) {
    require(course_.at() == before, "a refused record changes the state");
    perform(course_.on_refused());
    return;
  }
  if (type == record_type::go && !todo->empty()) {
    ++gos_;
    require(told_received_, "GO is accepted without GUEST_RECEIVED");
    require(gos_ == 1, "GO is accepted twice");
  }
  perform(*todo);
}

void destination_rules::lose() {
  perform(course_.on_failure());
}

void destination_rules::lose_xl() {
  if (xl_started_) {
    perform(course_.on_xl_failed());
  }
}

void destination_rules::perform(const destination_course::actions& todo) {
  for (const destination_course::step& next : todo) {
    require(ends_ == 0, "an action follows the session's end");
    if (const auto* empty = std::get_if<record_type>(&next)) {
      check_sent(*empty);
    } else {
      check(std::get<action>(next));
    }
  }
}

void destination_rules::check_sent(record_type empty) {
  if (empty == record_type::disks_durable) {
    require(flushed_, "DISKS_DURABLE without a flush since the last record");
  } else if (empty == record_type::guest_received) {
    require(end_given_ && has_ready_, "GUEST_RECEIVED before `ready`");
    told_received_ = true;
  }
}

void destination_rules::check(action next) {
  switch (next) {
    case action::rebuild:
      require(!failed_, "the disks are written after a failure");
      require(end_given_ == false, "the disks are written after the gate");
      flushed_ = false;
      ++rebuilds_;
      return;
    case action::feed_xl:
      require(!failed_, "xl is fed after a failure");
      if (!stream_in_) {
        steps_.push_back(next);  // it may be the end piece
      }
      return;
    case action::flush:
      rebuilds_at_flush_ = rebuilds_;
      break;
    case action::start_xl:
      require(has_turn_, "xl is started without the turn");
      break;
    case action::unpause:
      ++permissions_;
      require(gos_ == 1 && has_go_, "xl is permitted without GO");
      require(permissions_ == 1, "xl is permitted twice");
      require(!failed_, "xl is permitted after a failure");
      break;
    case action::journal_running:
      require(permissions_ == 1, "`running` without GO");
      wrote_running_ = true;
      break;
    case action::send_go_result:
      require(course_.guest_runs() == wrote_running_,
              "GO_RESULT is not what was journalled");
      return;
    case action::hand_disks_to_guest:
      require(wrote_running_, "the disks are given away without `running`");
      break;
    case action::destroy:
      require(permissions_ == 0, "a guest that may run is destroyed");
      failed_ = true;
      break;
    case action::put_disks_back:
      require(!wrote_running_, "the disks of a running guest are put back");
      break;
    case action::end:
      ++ends_;
      return;
    case action::greet:
    case action::send_answer:
    case action::send_prepared:
    case action::send_turn:
    case action::send_fail:
    case action::close_link:
      return;
    default:
      break;
  }
  steps_.push_back(next);
}

void destination_rules::end_gate_hook(bool well) {
  if (!well) {
    perform(course_.on_failure());
    return;
  }
  const auto end = course_.on_gate_hook();
  if (end) {
    require(stream_in_ && flushed_ && !failed_ && !end_given_,
            "the gate opens too early, or twice");
    end_given_ = true;
  }
}

void destination_rules::end_step(std::size_t which, bool well) {
  if (steps_.empty()) {
    if (end_given_ && well) {
      perform(course_.on_built());
    }
    return;
  }
  const auto it =
      steps_.begin() + static_cast<std::ptrdiff_t>(which % steps_.size());
  const action ended = *it;
  steps_.erase(it);
  switch (ended) {
    case action::answer_query:
      perform(course_.on_query_answered());
      return;
    case action::receive_seed:
      perform(well ? course_.on_seeded() : course_.on_failure());
      return;
    case action::consider:
      perform(course_.on_considered(well));
      return;
    case action::prepare:
      perform(well ? course_.on_prepared() : course_.on_failure());
      return;
    case action::take_turn:
      has_turn_ = well;
      perform(well ? course_.on_turn() : course_.on_failure());
      return;
    case action::start_xl:
      if (well) {
        xl_started_ = true;
        course_.on_xl_started();
      } else {
        perform(course_.on_failure());
      }
      return;
    case action::feed_xl:
      if (well && !stream_in_ && xl_started_) {
        stream_in_ = true;
        perform(course_.on_stream_complete());
      }
      return;
    case action::flush:
      flushed_ = well && rebuilds_ == rebuilds_at_flush_;
      perform(well ? course_.on_flushed() : course_.on_failure());
      return;
    case action::run_gate_hook:
      end_gate_hook(well);
      return;
    case action::journal_ready:
      has_ready_ = well;
      perform(course_.on_journalled(journal_state::ready, well));
      return;
    case action::journal_go:
      has_go_ = well;
      perform(course_.on_journalled(journal_state::go, well));
      return;
    case action::journal_running:
      perform(course_.on_journalled(journal_state::running, well));
      return;
    case action::journal_abandoned:
      perform(course_.on_journalled(journal_state::abandoned, well));
      return;
    case action::unpause:
      perform(course_.on_started(well));
      return;
    case action::destroy:
      perform(course_.on_destroyed(well));
      return;
    case action::hand_disks_to_guest:
    case action::put_disks_back:
      perform(course_.on_disks_left());
      return;
    default:
      return;
  }
}

}  // namespace teleport
