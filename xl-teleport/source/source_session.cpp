// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/source_session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/end_records.hpp"
#include "xl-teleport/setup/texts.hpp"
#include "xl-teleport/source/opening.hpp"
#include "xl-teleport/source/pass_progress.hpp"

namespace teleport {

namespace {

using seconds_f = std::chrono::duration<double>;

constexpr std::chrono::seconds tick_interval{1};

/// Between two looks at whether the guest is still there, while its disks are
/// sent.
constexpr std::chrono::seconds glance_interval{2};

}  // namespace

/// Does what the course says until it says nothing more. Called after whatever
/// the course was told.
void source_session::act() {
  enter(phase_now());
  while (const auto todo = course_.next()) {
    if (const auto* record = std::get_if<record_type>(&*todo)) {
      link_->send(*record, {});
    } else {
      perform(std::get<source_action>(*todo));
    }
    enter(phase_now());
  }
  arm_limit();
}

void source_session::perform(source_action todo) {
  switch (todo) {
    case source_action::end_untouched:
      return end_untouched();
    case source_action::attach:
      return attach();
    case source_action::start_bulk:
      return disks_->start_bulk();
    case source_action::targets_ready:
      link_->widen();
      glance();
      return disks_->targets_ready();
    case source_action::weigh:
      return disks_->weigh();
    case source_action::weigh_after_pause:
      round_timer_ = loop_.after(course_.round_pause(), [this] {
        course_.on_pause_over();
        act();
      });
      return;
    case source_action::start_round:
    case source_action::send_last_blocks:
      return disks_->start_round();
    case source_action::look_at_guest:
      return look_at_guest();
    case source_action::start_memory:
      return start_memory();
    case source_action::give_up:
      return give_up();
    case source_action::hold_memory:
      return memory_->hold(true);
    case source_action::release_memory:
      return memory_->hold(false);
    case source_action::take_last_marks:
      return disks_->take_last_marks();
    case source_action::journal_go: {
      const auto written = write_journal(journal_state::go);
      if (!written) {
        report_.sentence =
            "the guest is not given away, as that could not be "
            "journalled: " +
            written.error().context;
      }
      return course_.on_journalled(written.has_value(), clock::now());
    }
    case source_action::finish:
      return finish();
    case source_action::stop:
      return stop();
    case source_action::resume_guest:
      return leave_guest(true);
    case source_action::leave_guest:
      return leave_guest(false);
    case source_action::ask:
      link_->close();
      stop_disks();
      return ask();
    case source_action::ask_beside:
      return ask();
    case source_action::report_uncertain:
      return report_uncertain();
  }
}

void source_session::on_record(const raw_record& record) {
  if (!course_.listens()) {
    return;
  }
  const auto taken = take(record);
  if (!taken) {
    fail(taken.error());
  }
  act();
}

result<void> source_session::take(const raw_record& record) {
  const auto due = course_.may_come(record.type);
  if (!due) {
    return due;
  }
  if (const auto read = read_setup(record, options_.host, report_.disks);
      !read) {
    return read;
  }
  bool good = true;
  switch (record.type) {
    case record_type::answer: {
      const auto reply = read_answer(as_text(record.body));
      if (!reply) {
        return reply.error();
      }
      on_answer(*reply);
      good = report_.problems.empty() && !options_.dry_run;
      break;
    }
    case record_type::extent_states:
    case record_type::wanted:
      return disks_->on_record(record);
    case record_type::guest_received:
      report_.link = link_->counters();
      report_.connections = link_->lanes();
      break;
    case record_type::go_result:
      return on_result(record);
    default:
      break;
  }
  return course_.on_record(record.type, good, now());
}

result<void> source_session::on_result(const raw_record& record) {
  const auto outcome = read_go_result(as_text(record.body));
  if (!outcome) {
    return outcome.error();
  }
  report_.bulk = outcome->bulk;
  report_.rounds = outcome->rounds;
  report_.link = link_->counters();
  if (!outcome->runs) {
    report_.sentence = options_.host + ": " + outcome->sentence;
  }
  return course_.on_record(record.type, outcome->runs, now());
}

/// Others may end or restart the guest during a bulk of hours.
void source_session::glance() {
  loop_.work_apart(
      [uuid = view_.guest.uuid] { return glance_at_guest(uuid); },
      [this](const result<guest_sight>& now) {
        if (course_.at() != source_course::state::disks) {
          return;
        }
        // A pause, or a checkpoint's suspension, may be over before the memory
        // is sent.
        const auto change =
            now ? change_of(view_.guest, *now, now->state) : guest_change();
        if (change.verdict != guest_verdict::same) {
          on_change(change);
          return;
        }
        glance_timer_ = loop_.after(glance_interval, [this] { glance(); });
      });
}

void source_session::look_at_guest() {
  loop_.work_apart(
      [uuid = view_.guest.uuid, suspended = course_.is_suspended()] {
        return suspended ? look_again(uuid) : look_before_save(uuid);
      },
      [this, suspended = course_.is_suspended()](result<guest_sight> now) {
        on_looked(std::move(now), suspended);
        act();
      });
}

void source_session::on_looked(result<guest_sight> now, bool suspended) {
  if (!course_.listens()) {
    return;
  }
  if (!now) {
    fail(in_context("a second look at the guest", now.error()));
    return;
  }
  const auto change =
      change_of(view_.guest,
                *now,
                suspended ? guest_state::suspended : guest_state::running);
  // GUEST_CONFIG has been sent once the guest is suspended.
  const bool sendable = change.verdict == guest_verdict::carried && !suspended;
  if (change.verdict != guest_verdict::same && !sendable) {
    on_change(change);
    return;
  }
  if (sendable) {
    log_info(view_.guest.name + ": " + change.sentence +
             " meanwhile, and goes along");
    view_.guest = std::move(*now->guest);
  }
  course_.on_looked(clock::now());
}

/// Another attempt begins with what is there by then: nothing of this one can
/// be used for another disk, name or domain.
void source_session::on_change(const guest_change& change) {
  const bool again =
      !course_.is_suspended() && change.verdict != guest_verdict::others;
  fail({change.verdict == guest_verdict::others ? errc::busy : errc::mismatch,
        fmt::format("{} was changed during its teleport: {}",
                    view_.guest.name,
                    change.sentence)});
  if (again) {
    ending_.as = attempt_end::guest_changed;
  }
}

void source_session::start_memory() {
  const auto noted = guardian_.note_save();
  if (!noted || !guardian_.is_on_watch()) {
    course_.on_saved(false, clock::now());
    fail({errc::system, "the guardian process has died"});
    return;
  }
  link_->send(record_type::guest_config, as_bytes(view_.guest.config_json));
  const auto started = memory_->start(view_.guest.domid, options_.live);
  if (!started) {
    course_.on_saved(false, clock::now());
    fail(started.error());
  }
}

void source_session::give_up() {
  fail({errc::refused,
        fmt::format(
            "the guest writes faster than the link carries: after {} "
            "rounds {} are left, {:.0f} s at the {}/s that this link "
            "carries; allow it with --max-downtime, or wait until the guest is "
            "quieter",
            course_.plan().rounds(),
            human_bytes(course_.left()),
            course_.plan().time_for(course_.left()).count(),
            human_bytes(static_cast<std::uint64_t>(course_.plan().rate())))});
}

/// The limits that hold once the guest is suspended.
void source_session::arm_limit() {
  const auto due = course_.due();
  limit_timer_ = due ? loop_.after(std::chrono::ceil<std::chrono::milliseconds>(
                                       *due - clock::now()),
                                   [this] { on_limit(); })
                     : timer();
}

void source_session::on_limit() {
  if (course_.on_time(clock::now())) {
    const auto& steps = course_.downtime().steps();
    fail({errc::timeout,
          fmt::format("the guest was suspended for {:.1f} s, the longest that "
                      "--max-downtime allows; what was done last: {}",
                      options_.downtime_limit.value_or(seconds_f(0)).count(),
                      name_of(steps.back().step))});
  }
  act();
}

void source_session::memory_done(const result<void>& outcome) {
  course_.on_saved(outcome.has_value(), clock::now());
  if (!outcome) {
    fail(in_context("saving the guest's memory", outcome.error()));
  }
  act();
}

source_course::moment source_session::now() {
  const auto time = clock::now();
  if (link_) {
    measures_.gauge.look(link_->queued(), link_->counters().sent, time);
    measures_.room.look(measures_.gauge.used());
  }
  return {time, measures_.gauge.used()};
}

/// The report's name for where the course is. Of one that has ended it stays
/// what it was.
move_phase source_session::phase_now() const {
  switch (course_.at()) {
    case source_course::state::greeting:
    case source_course::state::offered:
      return move_phase::connect;
    case source_course::state::answered:
    case source_course::state::preparing:
      return move_phase::prepare;
    case source_course::state::disks:
      return course_.at_blocks() == source_course::blocks::bulk
                 ? move_phase::bulk
                 : move_phase::rounds;
    case source_course::state::memory:
      return course_.is_suspended() ? move_phase::stopped : move_phase::memory;
    case source_course::state::ready:
    case source_course::state::committed:
    case source_course::state::asking:
      return move_phase::stopped;
    case source_course::state::staying:
    case source_course::state::over:
      return phase_;
  }
  return phase_;
}

void source_session::enter(move_phase phase) {
  if (phase == phase_) {
    return;
  }
  const auto time = clock::now();
  if (phase_ != move_phase::over) {
    report_.phase_seconds[static_cast<std::size_t>(phase_)] +=
        seconds_f(time - times_.phase).count();
  }
  phase_ = phase;
  times_.phase = time;
  log_debug(fmt::format("phase {}", name_of(phase)));
}

void source_session::tick() {
  if (phase_ == move_phase::over) {
    return;
  }
  (void)now();
  progress seen;
  seen.waits_for_turn = course_.waits_for_turn();
  seen.phase = phase_;
  seen.revocable = course_.may_cancel();
  if (link_) {
    seen.sent = link_->counters().sent;
  }
  if (phase_ == move_phase::bulk || phase_ == move_phase::rounds) {
    add_pass(seen,
             disks_->pass_counts(),
             moved_disks(view_.guest),
             disks_->bytes_wanted());
  } else if (phase_ == move_phase::memory || phase_ == move_phase::stopped) {
    // The first pass brings all of it; how much later passes bring, nobody
    // knows before.
    seen.done = memory_->statistics().bytes_in;
    seen.total = std::max(seen.done, view_.guest.max_memory_kib * 1_KiB);
  }
  view_of_progress_.show(seen, clock::now());
  tick_timer_ = loop_.after(tick_interval, [this] { tick(); });
}

}  // namespace teleport
