// SPDX-License-Identifier: LGPL-2.1-or-later

#include "test/support/source_rules.hpp"

namespace teleport {

namespace {

constexpr source_course::moment no_time{};

}  // namespace

void source_rules::require(bool holds, const char* rule) {
  if (!holds && broken_.empty()) {
    broken_ = rule;
  }
}

void source_rules::perform() {
  while (const auto next = course_.next()) {
    if (const auto* empty = std::get_if<record_type>(&*next)) {
      check_sent(*empty);
    } else {
      check(std::get<source_action>(*next));
    }
  }
}

void source_rules::check_sent(record_type empty) {
  if (empty != record_type::go) {
    return;
  }
  require(durable_, "GO without DISKS_DURABLE");
  require(received_, "GO without GUEST_RECEIVED");
  require(looked_, "GO for a guest that others may have changed");
  require(has_go_, "GO that is not journalled");
  require(!gave_go_, "GO twice");
  require(!resumed_, "GO for a guest that was resumed");
  gave_go_ = true;
}

void source_rules::check(source_action next) {
  switch (next) {
    case source_action::leave_guest:
      require(!saved_, "a guest whose memory was saved is not resumed");
      [[fallthrough]];
    case source_action::resume_guest:
      require(!gave_go_ || never_there_, "a guest that was given is resumed");
      require(!resumed_ && !moved_, "the guest is resumed twice");
      resumed_ = true;
      return;
    case source_action::finish:
      require(gave_go_ && runs_there_,
              "a guest is destroyed that runs nowhere");
      require(!resumed_ && !moved_, "a guest is destroyed that runs here");
      moved_ = true;
      return;
    case source_action::end_untouched:
      require(!gave_go_ && !has_go_, "nothing was touched, after GO");
      return;
    case source_action::start_memory:
      require(has_turn_, "the memory is sent without the turn");
      saved_ = true;
      return;
    case source_action::ask:
    case source_action::ask_beside:
      require(gave_go_ || has_go_, "QUERY without GO");
      asks_ = true;
      return;
    case source_action::give_up:
      lose();
      return;
    case source_action::attach:
    case source_action::targets_ready:
    case source_action::weigh:
    case source_action::weigh_after_pause:
    case source_action::look_at_guest:
    case source_action::start_round:
    case source_action::take_last_marks:
    case source_action::send_last_blocks:
    case source_action::journal_go:
    case source_action::stop:
      steps_.push_back(next);
      return;
    default:
      return;
  }
}

void source_rules::record(record_type type, bool good) {
  const auto before = course_.at();
  if (!course_.listens()) {
    return;
  }
  const auto taken = course_.on_record(type, good, no_time);
  if (!taken) {
    require(course_.at() == before, "a refused record changes the state");
    lose();
    return;
  }
  durable_ = durable_ || type == record_type::disks_durable;
  received_ = received_ || type == record_type::guest_received;
  has_turn_ = has_turn_ || type == record_type::turn;
  if (type == record_type::go_result) {
    require(gave_go_, "GO_RESULT is accepted without GO");
    (good ? runs_there_ : never_there_) = true;
  }
  perform();
  if (type == record_type::fail) {
    lose();
  }
}

void source_rules::lose() {
  (void)course_.on_failure();
  perform();
}

void source_rules::answer(destination_fate fate) {
  if (!asks_) {
    return;
  }
  asks_ = false;
  runs_there_ = runs_there_ || fate == destination_fate::running;
  never_there_ = never_there_ || fate == destination_fate::abandoned;
  course_.on_fate(fate);
  perform();
}

void source_rules::save_goes_on(bool well) {
  if (!course_.is_saving()) {
    return;
  }
  if (!well || !course_.listens()) {
    course_.on_saved(false, no_time.time);
    lose();
  } else if (!course_.is_suspended()) {
    course_.on_suspended(no_time.time);
  } else if (!stream_sent_) {
    stream_sent_ = true;
    course_.on_stream_sent(no_time.time);
  } else {
    course_.on_saved(true, no_time.time);
  }
  perform();
}

void source_rules::end_step(std::size_t which, bool well) {
  if (steps_.empty()) {
    return;
  }
  const auto it =
      steps_.begin() + static_cast<std::ptrdiff_t>(which % steps_.size());
  const source_action ended = *it;
  steps_.erase(it);
  switch (ended) {
    case source_action::attach:
      course_.on_attached(well);
      break;
    case source_action::weigh:
      course_.on_weighed(well ? 0 : 1, no_time);
      well = true;
      break;
    case source_action::weigh_after_pause:
      course_.on_pause_over();
      well = true;
      break;
    case source_action::look_at_guest:
      if (well) {
        looked_ = course_.is_suspended();
        course_.on_looked(no_time.time);
      }
      break;
    case source_action::take_last_marks:
      course_.on_last_marks(no_time.time);
      break;
    case source_action::journal_go:
      has_go_ = has_go_ || well;
      course_.on_journalled(well, no_time.time);
      well = true;
      break;
    case source_action::stop:
      course_.on_disks_at_rest();
      well = true;
      break;
    default:
      course_.on_pass_done(no_time);
      break;
  }
  perform();
  if (!well) {
    lose();
  }
}

}  // namespace teleport
