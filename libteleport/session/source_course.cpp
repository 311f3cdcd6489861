// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/session/source_course.hpp"

#include <algorithm>

#include "libteleport/session/greeting.hpp"

namespace teleport {

namespace {

/// While the memory is sent, the disks' rounds follow each other after this:
/// often enough that little is left at the suspension, seldom enough that a
/// block written over and over does not cross the link each time.
constexpr std::chrono::milliseconds shortest_pause{500};

/// A round that took long is followed by a pause of so many times that: the
/// memory shares the link and the processors with it.
constexpr int pause_factor = 2;

}  // namespace

std::string_view name_of(source_course::state state) noexcept {
  switch (state) {
    case source_course::state::greeting:
      return "greeting";
    case source_course::state::offered:
      return "offered";
    case source_course::state::answered:
      return "answered";
    case source_course::state::preparing:
      return "preparing";
    case source_course::state::disks:
      return "disks";
    case source_course::state::memory:
      return "memory";
    case source_course::state::ready:
      return "ready";
    case source_course::state::committed:
      return "committed";
    case source_course::state::asking:
      return "asking";
    case source_course::state::staying:
      return "staying";
    case source_course::state::over:
      return "over";
  }
  return {};
}

bool source_course::is_due(record_type type) const noexcept {
  switch (type) {
    case record_type::hello:
      return state_ == state::greeting;
    case record_type::answer:
      return state_ == state::offered;
    case record_type::prepared:
      return state_ == state::preparing;
    case record_type::wanted:  // answers BLOCK_DIGESTS, which are of the bulk
      return state_ == state::disks;
    case record_type::turn:
      return waits_for_turn();
    case record_type::extent_states:
      return (state_ == state::disks || state_ == state::memory) &&
             blocks_ < blocks::complete;
    case record_type::disks_durable:
      return state_ == state::memory && blocks_ == blocks::complete;
    case record_type::guest_received:
      return state_ == state::memory && blocks_ == blocks::durable &&
             save_ >= save::sent;
    case record_type::go_result:
      return state_ == state::committed;
    case record_type::fail:
      return listens();
    default:
      return false;
  }
}

result<void> source_course::may_come(record_type type) const {
  if (!is_due(type)) {
    return out_of_state(record_sender::destination, type, name_of(state_));
  }
  return {};
}

result<void> source_course::on_record(record_type type,
                                      bool good,
                                      const moment& now) {
  if (const auto due = may_come(type); !due) {
    return due;
  }
  switch (type) {
    case record_type::hello:
      state_ = state::offered;
      break;
    case record_type::answer:
      if (!good) {
        state_ = state::over;
        add(source_action::end_untouched);
        break;
      }
      state_ = state::answered;
      begun_ = true;
      attaching_ = true;
      add(source_action::attach);
      break;
    case record_type::prepared:
      state_ = state::disks;
      begin_pass(blocks::bulk, now);
      add(source_action::targets_ready);
      break;
    case record_type::turn:
      turn_ = turn::given;
      on_pause_over();
      break;
    case record_type::disks_durable:
      blocks_ = blocks::durable;
      downtime_.note(downtime_step::disks_durable, now.time);
      break;
    case record_type::guest_received:
      state_ = state::ready;
      downtime_.note(downtime_step::guest_built, now.time);
      commit_when_saved();
      break;
    case record_type::go_result:
      if (good) {
        downtime_.note(downtime_step::running, now.time);
      }
      follow(handover_.on_result(good));
      break;
    default:
      break;  // what it says is for the disks, or for people
  }
  return {};
}

void source_course::on_attached(bool well) {
  attaching_ = false;
  resume_when_at_rest();
  if (state_ == state::answered && well) {
    state_ = state::preparing;
    add(record_type::prepare);
    add(source_action::start_bulk);
  }
}

void source_course::begin_pass(blocks kind, const moment& now) {
  blocks_ = kind;
  pass_begun_ = now;
}

void source_course::pause_for(std::chrono::milliseconds pause) {
  blocks_ = blocks::pausing;
  pause_ = pause;
  add(source_action::weigh_after_pause);
}

void source_course::take_last_marks() {
  blocks_ = blocks::last_marks;
  add(source_action::take_last_marks);
}

void source_course::on_pass_done(const moment& now) {
  if (!listens()) {
    return;
  }
  if (blocks_ == blocks::last_blocks) {
    blocks_ = blocks::complete;
    downtime_.note(downtime_step::blocks_proven, now.time);
    add(record_type::disks_complete);
    return;
  }
  if (blocks_ != blocks::bulk && blocks_ != blocks::round) {
    return;
  }
  const auto took = now.time - pass_begun_.time;
  const link_use used = now.link - pass_begun_.link;
  convergence_.on_pass(used.bytes, used.time);
  if (is_suspended()) {
    take_last_marks();
  } else if ((state_ == state::disks && !waits_for_turn()) || brake_.holds()) {
    blocks_ = blocks::weighing;
    add(source_action::weigh);
  } else {
    pause_for(std::max(shortest_pause,
                       std::chrono::duration_cast<std::chrono::milliseconds>(
                           took * pause_factor)));
  }
}

void source_course::on_weighed(std::uint64_t dirty, const moment& now) {
  if (!listens() || blocks_ != blocks::weighing) {
    return;
  }
  left_ = dirty;
  if (is_suspended()) {
    take_last_marks();
    return;
  }
  if (state_ == state::memory) {
    weigh_beside_memory(dirty);
  }
  switch (judge(dirty)) {
    case next_step::another_round:
      ++rounds_;
      begin_pass(blocks::round, now);
      add(source_action::start_round);
      return;
    case next_step::start_memory:
      approach_memory();
      return;
    case next_step::give_up:
      add(source_action::give_up);
      return;
  }
}

/// The rounds of a guest that writes much hold its memory.
void source_course::weigh_beside_memory(std::uint64_t dirty) {
  const bool held = brake_.holds();
  if (brake_.weigh(dirty, convergence_.fits(dirty)) != held) {
    add(held ? source_action::release_memory : source_action::hold_memory);
  }
}

/// Beside the memory, and while its turn is awaited, the rounds have no end of
/// their own.
next_step source_course::judge(std::uint64_t dirty) {
  return state_ == state::memory || waits_for_turn()
             ? next_step::another_round
             : convergence_.weigh(dirty);
}

/// A source that asks for its turn while its rounds go on would keep others
/// from theirs.
void source_course::approach_memory() {
  if (turn_ != turn::needed) {
    add(source_action::look_at_guest);
    return;
  }
  turn_ = turn::asked;
  add(record_type::ask_turn);
  pause_for(shortest_pause);
}

void source_course::on_looked(time_point now) {
  if (!listens()) {
    return;
  }
  if (is_suspended()) {
    looked_ = true;
    downtime_.note(downtime_step::looked, now);
    commit_when_saved();
  } else if (state_ == state::disks && blocks_ == blocks::weighing &&
             (turn_ == turn::not_needed || turn_ == turn::given)) {
    begin_memory();
  }
}

void source_course::begin_memory() {
  state_ = state::memory;
  save_ = save::running;
  add(source_action::start_memory);
  // What was weighed is sent with the first of the rounds beside the memory.
  pause_for(shortest_pause);
}

void source_course::on_pause_over() {
  if (listens() && blocks_ == blocks::pausing) {
    blocks_ = blocks::weighing;
    add(source_action::weigh);
  }
}

void source_course::on_suspended(time_point now) {
  if (state_ != state::memory || is_suspended()) {
    return;
  }
  downtime_.note(downtime_step::suspended, now);
  suspended_at_ = now;
  if (brake_.holds()) {
    brake_.release();
    add(source_action::release_memory);
  }
  if (blocks_ == blocks::pausing) {
    take_last_marks();
  }  // else once the weighing or the round is over
}

void source_course::on_last_marks(time_point now) {
  if (listens() && blocks_ == blocks::last_marks) {
    downtime_.note(downtime_step::marks_taken, now);
    blocks_ = blocks::last_blocks;
    add(source_action::send_last_blocks);
  }
}

void source_course::on_blocks_sent(time_point now) {
  if (listens() && blocks_ == blocks::last_blocks) {
    downtime_.note(downtime_step::blocks_sent, now);
  }
}

void source_course::on_stream_sent(time_point now) {
  if (save_ == save::running) {
    save_ = save::sent;
    if (listens()) {
      downtime_.note(downtime_step::memory_sent, now);
      // As late as can be, and while the destination builds the guest.
      add(source_action::look_at_guest);
    }
  }
}

void source_course::on_saved(bool well, time_point now) {
  if (well) {
    on_stream_sent(now);
  }
  save_ = save::over;
  resume_when_at_rest();
  if (well) {
    if (listens()) {
      downtime_.note(downtime_step::saved, now);
    }
    commit_when_saved();
  }
}

/// The destination may have built the guest before libxl's thread has returned
/// here; but while libxl works on the guest, it is not given away. Nor is a
/// guest that has a disk by now which the destination does not know.
void source_course::commit_when_saved() {
  if (state_ == state::ready && save_ == save::over && looked_) {
    follow(handover_.on_guest_received());
  }
}

void source_course::on_journalled(bool durable, time_point now) {
  const auto todo = handover_.on_journalled(durable);
  if (todo == source_handover::action::send_go) {
    downtime_.note(downtime_step::go_sent, now);
    go_at_ = now;
  }
  follow(todo);
}

void source_course::on_fate(destination_fate fate) {
  follow(handover_.on_fate(fate));
}

void source_course::on_no_answer() {
  follow(handover_.on_no_answer());
}

void source_course::on_disks_at_rest() {
  disks_at_rest_ = true;
  resume_when_at_rest();
}

/// A guest that may be suspended waits for no disk: a job on a slow one can do
/// it no harm.
void source_course::resume_when_at_rest() {
  const bool saved = save_ == save::over;
  if (state_ == state::staying && !attaching_ && !is_saving() &&
      (disks_at_rest_ || saved)) {
    state_ = state::over;
    add(saved ? source_action::resume_guest : source_action::leave_guest);
  }
}

std::optional<source_course::time_point> source_course::due() const {
  if (state_ == state::committed && !asked_beside_) {
    return go_at_ + answer_patience;
  }
  if (limit_ && is_suspended() && listens() && state_ != state::committed) {
    return suspended_at_ + *limit_;
  }
  return std::nullopt;
}

bool source_course::on_time(time_point now) {
  const auto limit = due();
  if (!limit || now < *limit) {
    return false;
  }
  if (state_ == state::committed) {
    asked_beside_ = true;
    add(source_action::ask_beside);
    return false;
  }
  return true;
}

bool source_course::on_failure() {
  if (!listens()) {
    return false;
  }
  const auto todo = handover_.on_failure();
  if (todo == source_handover::action::none) {
    return false;
  }
  actions_.clear();  // what was decided before the failure
  if (!begun_) {
    state_ = state::over;
    add(source_action::end_untouched);
  } else {
    follow(todo);
  }
  return true;
}

bool source_course::may_cancel() const noexcept {
  return handover_.at() != source_handover::state::asked &&
         handover_.at() != source_handover::state::moved;
}

void source_course::follow(source_handover::action todo) {
  switch (todo) {
    case source_handover::action::none:
      return;
    case source_handover::action::journal_go:
      add(source_action::journal_go);
      return;
    case source_handover::action::send_go:
      state_ = state::committed;
      add(record_type::go);
      return;
    case source_handover::action::finish:
      state_ = state::over;
      add(source_action::finish);
      return;
    case source_handover::action::stay:
      state_ = state::staying;
      add(source_action::stop);
      resume_when_at_rest();
      return;
    case source_handover::action::ask_destination:
      state_ = state::asking;
      add(source_action::ask);
      return;
    case source_handover::action::report_uncertain:
      state_ = state::over;
      add(source_action::report_uncertain);
      return;
  }
}

}  // namespace teleport
