// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/seed_course.hpp"

#include "libteleport/session/greeting.hpp"

namespace teleport {

std::string_view name_of(seed_course::state state) noexcept {
  switch (state) {
    case seed_course::state::greeting:
      return "greeting";
    case seed_course::state::offered:
      return "offered";
    case seed_course::state::answered:
      return "answered";
    case seed_course::state::preparing:
      return "preparing";
    case seed_course::state::prepared:
      return "prepared";
    case seed_course::state::disks:
      return "disks";
    case seed_course::state::keeping:
      return "keeping";
    case seed_course::state::over:
      return "over";
  }
  return {};
}

void seed_course::on_connected(bool nobody_writes) {
  if (nobody_writes) {
    // For nothing, if the seed is refused.
    add(record_type::prepare);
    attach(false);
  }
}

void seed_course::attach(bool follow) {
  follows_ = follow;
  attached_ = attached::under_way;
  add(follow ? seed_action::attach_trackers : seed_action::attach_plain);
}

bool seed_course::is_due(record_type type) const noexcept {
  switch (type) {
    case record_type::hello:
      return state_ == state::greeting;
    case record_type::answer:
      return state_ == state::offered;
    case record_type::prepared:
      return state_ == state::preparing;
    case record_type::extent_states:
    case record_type::wanted:
      return state_ == state::disks && blocks_ != blocks::weighing;
    case record_type::seeded:
      return state_ == state::keeping;
    case record_type::fail:
      return state_ != state::over;
    default:
      return false;
  }
}

result<void> seed_course::may_come(record_type type) const {
  if (!is_due(type)) {
    return out_of_state(record_sender::destination, type, name_of(state_));
  }
  return {};
}

result<void> seed_course::on_record(record_type type) {
  if (const auto due = may_come(type); !due) {
    return due;
  }
  switch (type) {
    case record_type::hello:
      state_ = state::offered;
      break;
    case record_type::answer:
      if (attached_ == attached::no) {
        state_ = state::answered;
        attach(true);
      } else {
        state_ = state::preparing;  // PREPARE went with SEED
      }
      break;
    case record_type::prepared:
      state_ = state::prepared;
      begin_bulk();
      break;
    case record_type::seeded:
      state_ = state::over;
      add(seed_action::stop_disks);
      break;
    default:
      break;  // what it says is for the disks, or for people
  }
  return {};
}

bool seed_course::on_attached(bool well) {
  attached_ = well ? attached::yes : attached::no;
  if (state_ == state::over) {
    end_when_at_rest();
    return true;
  }
  if (!well && follows_) {
    attach(false);
    return true;
  }
  if (!well) {
    return false;
  }
  if (state_ == state::answered) {
    state_ = state::preparing;
    add(record_type::prepare);
  }
  add(seed_action::start_bulk);
  begin_bulk();
  return true;
}

/// Once the disks are attached here and their targets are there.
void seed_course::begin_bulk() {
  if (state_ == state::prepared && attached_ == attached::yes) {
    state_ = state::disks;
    blocks_ = blocks::bulk;
    add(seed_action::targets_ready);
  }
}

void seed_course::on_pass_done() {
  if (state_ != state::disks) {
    return;
  }
  if (blocks_ == blocks::bulk && follows_) {
    blocks_ = blocks::weighing;
    add(seed_action::weigh);
  } else if (blocks_ != blocks::weighing) {
    complete();
  }
}

void seed_course::on_weighed(std::uint64_t dirty) {
  if (state_ != state::disks || blocks_ != blocks::weighing) {
    return;
  }
  if (dirty == 0) {
    complete();
    return;
  }
  blocks_ = blocks::round;
  add(seed_action::start_round);
}

void seed_course::complete() {
  state_ = state::keeping;
  add(record_type::disks_complete);
}

void seed_course::on_disks_at_rest() {
  if (rest_ == rest::none) {
    rest_ = rest::of_disks;
    end_when_at_rest();
  }
}

void seed_course::end_when_at_rest() {
  if (state_ == state::over && attached_ != attached::under_way &&
      rest_ == rest::of_disks) {
    rest_ = rest::ended;
    add(seed_action::end);
  }
}

bool seed_course::on_failure() {
  if (state_ == state::over) {
    return false;
  }
  state_ = state::over;
  actions_.clear();  // what was decided before the failure
  add(seed_action::send_fail);
  add(seed_action::stop_disks);
  return true;
}

}  // namespace teleport
