// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/source_session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/wire/record.hpp"
#include "xl-teleport/setup/texts.hpp"

namespace teleport {

namespace {

using seconds_f = std::chrono::duration<double>;

/// While the memory is sent, the disks' rounds follow each other after this:
/// often enough that little is left at the suspension, seldom enough that a
/// block written over and over does not cross the link each time. A round that
/// took long is followed by a pause of twice that: the memory shares the link
/// and the processors with it.
constexpr std::chrono::milliseconds round_pause{500};
constexpr int round_pause_factor = 2;

constexpr std::chrono::seconds tick_interval{1};

}  // namespace

/// Bulk or a round is proven at the destination.
void source_session::pass_done() {
  if (failing_) {
    return;
  }
  const auto now = clock::now();
  const std::uint64_t sent = link_->counters().sent;
  convergence_.on_pass(sent - pass_link_bytes_, seconds_f(now - pass_start_));
  if (last_writes_sent_) {
    disks_complete_sent_ = true;
    link_->send(record_type::disks_complete, {});
    return;
  }
  if (suspended_at_) {
    last_writes_sent_ = true;
    disks_->finish_writes();
    return;
  }
  if (phase_ == move_phase::bulk) {
    enter(move_phase::rounds);
  }
  if (!memory_running_) {
    disks_->weigh();
    return;
  }
  in_round_ = false;
  weigh_later(std::max(round_pause,
                       std::chrono::duration_cast<std::chrono::milliseconds>(
                           (now - pass_start_) * round_pause_factor)));
}

/// While the memory is sent, one round follows the other after a pause.
void source_session::weigh_later(std::chrono::milliseconds pause) {
  round_timer_ = loop_.after(pause, [this] {
    if (!failing_ && !in_round_ && !suspended_at_) {
      in_round_ = true;
      disks_->weigh();
    }
  });
}

void source_session::weighed(std::uint64_t dirty) {
  if (failing_) {
    return;
  }
  if (suspended_at_) {
    last_writes_sent_ = true;
    disks_->finish_writes();
    return;
  }
  auto step = next_step::another_round;
  if (!memory_running_) {
    step = convergence_.weigh(dirty);
  }
  log_debug(fmt::format("{} bytes were written meanwhile", dirty));
  switch (step) {
    case next_step::another_round:
      ++report_.round_count;
      pass_start_ = clock::now();
      pass_link_bytes_ = link_->counters().sent;
      disks_->start_round();
      return;
    case next_step::start_memory:
      start_memory();
      return;
    case next_step::give_up:
      fail({errc::refused,
            fmt::format("the guest writes faster than the link carries: after "
                        "{} rounds {} are left, {:.0f} s at this link's rate; "
                        "allow it with --max-downtime, or wait until the guest "
                        "is quieter",
                        convergence_.rounds(),
                        human_bytes(dirty),
                        convergence_.time_for(dirty).count())});
      return;
  }
}

void source_session::start_memory() {
  if (!guardian_.is_on_watch()) {
    fail({errc::system, "the guardian process has died"});
    return;
  }
  enter(move_phase::memory);
  link_->send(record_type::guest_config, as_bytes(view_.guest.config_json));
  const auto started = memory_->start(view_.guest.domid, options_.live);
  if (!started) {
    fail(started.error());
    return;
  }
  memory_running_ = true;
  in_round_ = false;
  // What was weighed goes with the first of the rounds beside the memory.
  weigh_later(round_pause);
}

void source_session::guest_suspended() {
  if (failing_ || suspended_at_) {
    return;
  }
  suspended_at_ = clock::now();
  enter(move_phase::stopped);
  if (!in_round_) {
    in_round_ = true;
    last_writes_sent_ = true;
    disks_->finish_writes();
  }  // else the end of the round does it
}

void source_session::memory_done(const result<void>& outcome) {
  memory_running_ = false;
  if (failing_) {
    stay_when_quiet();
    return;
  }
  if (!outcome) {
    fail(in_context("saving the guest's memory", outcome.error()));
  }
}

result<void> source_session::on_durable() {
  if (!disks_complete_sent_) {
    return error(errc::protocol,
                 "DISKS_DURABLE before the disks were complete");
  }
  return {};
}

result<void> source_session::on_received() {
  if (!disks_complete_sent_ || memory_running_ || !suspended_at_) {
    return error(errc::protocol, "GUEST_RECEIVED before the guest was sent");
  }
  report_.link = link_->counters();
  report_.connections = link_->lanes();
  act(handover_.on_guest_received());
  return {};
}

result<void> source_session::on_result(const raw_record& record) {
  auto outcome = read_go_result(as_text(record.body));
  if (!outcome) {
    return outcome.error();
  }
  if (handover_.at() != source_handover::state::asked) {
    return error(errc::protocol, "GO_RESULT before GO");
  }
  report_.bulk = outcome->bulk;
  report_.rounds = outcome->rounds;
  report_.link = link_->counters();
  if (outcome->runs) {
    report_.downtime_seconds =
        seconds_f(clock::now() - suspended_at_.value_or(clock::now())).count();
  } else {
    report_.sentence = options_.host + ": " + outcome->sentence;
  }
  act(handover_.on_result(outcome->runs));
  return {};
}

void source_session::enter(move_phase phase) {
  const auto now = clock::now();
  if (phase_ != move_phase::over) {
    report_.phase_seconds[static_cast<std::size_t>(phase_)] +=
        seconds_f(now - phase_start_).count();
  }
  phase_ = phase;
  phase_start_ = now;
  log_debug(fmt::format("phase {}", name_of(phase)));
}

void source_session::tick() {
  if (ended_) {
    return;
  }
  progress now;
  now.phase = phase_;
  if (link_) {
    now.sent = link_->counters().sent;
  }
  if (phase_ == move_phase::bulk || phase_ == move_phase::rounds) {
    now.done = disks_->pass_done();
    now.total = disks_->pass_total();
    if (phase_ == move_phase::bulk && now.done != 0) {
      now.found = 1.0 - std::min(1.0,
                                 static_cast<double>(disks_->bytes_wanted()) /
                                     static_cast<double>(now.done));
    }
  } else if (phase_ == move_phase::memory || phase_ == move_phase::stopped) {
    // The first pass brings all of it; how much later passes bring, nobody
    // knows before.
    now.done = memory_->statistics().bytes_in;
    now.total = std::max(now.done, view_.guest.max_memory_kib * 1_KiB);
  }
  view_of_progress_.show(now, clock::now());
  tick_timer_ = loop_.after(tick_interval, [this] { tick(); });
}

}  // namespace teleport
