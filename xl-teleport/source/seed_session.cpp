// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/seed_session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/session/told_failure.hpp"
#include "libteleport/wire/failure.hpp"
#include "libteleport/wire/record.hpp"
#include "xl-teleport/source/known_disks.hpp"
#include "xl-teleport/source/opening.hpp"
#include "xl-teleport/source/pass_progress.hpp"

namespace teleport {

namespace {

constexpr std::chrono::seconds tick_interval{1};

/// A seed stops no guest: a disk that never rests is not followed.
result<void> never_pause(bool paused) {
  return paused ? result<void>(
                      error(errc::busy, "a disk is written without a pause"))
                : result<void>();
}

/// Why the destination does not want the seed.
error refusal(const answer& reply) {
  std::string why;
  for (const problem& there : reply.problems) {
    why += (why.empty() ? "" : "\n  ") +
           fmt::format("{}: {} [{}]", reply.host, there.sentence, there.code);
  }
  return {errc::refused, why};
}

}  // namespace

seed_session::seed_session(event_loop& loop,
                           seed_request request,
                           settings config,
                           std::function<void(const result<void>&)> finished)
    : loop_(loop),
      request_(std::move(request)),
      settings_(std::move(config)),
      finished_(std::move(finished)),
      view_(request_.progress) {
  report_.guest = request_.guest.name;
  report_.destination = request_.host;
  for (const guest_disk& disk : moved_disks(request_.guest)) {
    report_.disk_bytes += disk.size;
  }
}

void seed_session::start() {
  connection::connect(loop_,
                      {settings_.keys, request_.link},
                      request_.host,
                      request_.port,
                      [this](result<std::shared_ptr<connection>> link) {
                        connected(std::move(link));
                      });
  tick();
}

void seed_session::cancel() {
  fail({errc::cancelled, "cancelled"});
}

void seed_session::connected(result<std::shared_ptr<connection>> link) {
  if (!link) {
    fail(link.error());
    return;
  }
  if (course_.at() == seed_course::state::over) {  // cancelled meanwhile
    (*link)->close();
    return;
  }
  link_ = std::move(*link);
  report_.congestion_control = link_->congestion_control();
  connection::handlers handlers;
  handlers.on_record = [this](const raw_record& record) { on_record(record); };
  handlers.on_closed = [this](const error& cause) {
    lost_link_ = course_.at() != seed_course::state::over &&
                 cause.code == errc::peer_lost;
    fail(cause);
  };
  handlers.on_drained = [this] {
    if (disks_ && course_.at() != seed_course::state::over) {
      disks_->pump();
    }
  };
  const auto opened = open_session(*link_,
                                   std::move(handlers),
                                   settings_,
                                   request_.bwlimit,
                                   {request_.guest,
                                    record_type::seed,
                                    to_json(seed_offer{request_.guest}),
                                    peer_deed::seed_there});
  if (!opened) {
    fail(opened.error());
    return;
  }
  course_.on_connected(
      std::ranges::all_of(moved_disks(request_.guest), &guest_disk::read_only));
  act();
}

/// Does what the course says until it says nothing more. Called after whatever
/// the course was told.
void seed_session::act() {
  while (const auto todo = course_.next()) {
    if (const auto* record = std::get_if<record_type>(&*todo)) {
      link_->send(*record, {});
    } else {
      perform(std::get<seed_action>(*todo));
    }
  }
}

void seed_session::perform(seed_action todo) {
  switch (todo) {
    case seed_action::attach_trackers:
    case seed_action::attach_plain:
      return attach();
    case seed_action::start_bulk:
      return disks_->start_bulk();
    case seed_action::targets_ready:
      link_->widen();
      return disks_->targets_ready();
    case seed_action::weigh:
      return disks_->weigh();
    case seed_action::start_round:
      return disks_->start_round();
    case seed_action::stop_disks:
      return stop_disks();
    case seed_action::send_fail:
      if (link_) {
        link_->send(
            record_type::fail,
            encode(failure_note{"source_gave_up", told_of(outcome_.error())}));
      }
      return;
    case seed_action::end:
      return end();
  }
}

void seed_session::on_record(const raw_record& record) {
  if (course_.at() == seed_course::state::over) {
    return;
  }
  const auto taken = take(record);
  if (!taken) {
    fail(taken.error());
  }
  act();
}

result<void> seed_session::take(const raw_record& record) {
  const auto due = course_.may_come(record.type);
  if (!due) {
    return due;
  }
  if (const auto read = read_setup(record, request_.host, report_.disks);
      !read) {
    return read;
  }
  switch (record.type) {
    case record_type::answer: {
      const auto reply = read_answer(as_text(record.body));
      if (!reply) {
        return reply.error();
      }
      if (!reply->problems.empty()) {
        return refusal(*reply);
      }
      break;
    }
    case record_type::extent_states:
    case record_type::wanted:
      return disks_->on_record(record);
    case record_type::seeded: {
      const auto done = read_seed_result(as_text(record.body));
      if (!done) {
        return done.error();
      }
      report_.bulk = done->bulk;
      report_.rounds = done->rounds;
      report_.followed = course_.follows();
      break;
    }
    default:
      break;
  }
  return course_.on_record(record.type);
}

void seed_session::make_mover() {
  disk_mover::events events = events_on(*link_);
  events.on_pass_done = [this] {
    course_.on_pass_done();
    act();
  };
  events.on_weighed = [this](std::uint64_t dirty) {
    course_.on_weighed(dirty);
    act();
  };
  events.on_failed = [this](const error& cause) { fail(cause); };
  events.on_rest = [this] {
    course_.on_disks_at_rest();
    act();
  };
  disks_ = std::make_unique<disk_mover>(loop_, std::move(events));
}

/// Opens the disks; those that the guest may write with trackers, if the course
/// follows what is written.
void seed_session::attach() {
  make_mover();
  auto disks = moved_disks(request_.guest);
  for (guest_disk& disk : disks) {
    disk.read_only = disk.read_only || !course_.follows();
  }
  loop_.work(
      [this, disks = std::move(disks), follow = course_.follows()] {
        return disks_->attach(
            disks,
            never_pause,
            follow ? known_by_index(settings_) : known_content_factory());
      },
      [this](const result<void>& outcome) { attached(outcome); });
}

void seed_session::attached(const result<void>& outcome) {
  if (!course_.on_attached(outcome.has_value())) {
    fail(outcome.error());
  } else if (!outcome && course_.at() != seed_course::state::over) {
    log_warning(
        "what is written meanwhile is not followed, and left to the next "
        "seed: " +
        outcome.error().context);
  }
  act();
}

void seed_session::fail(const error& cause) {
  if (course_.on_failure()) {
    outcome_ = cause;
    act();
  }
}

void seed_session::stop_disks() {
  if (disks_) {
    disks_->stop();
  }
  if (!disks_ || disks_->at_rest()) {
    course_.on_disks_at_rest();
  }
}

void seed_session::end() {
  tick_timer_ = timer();
  view_.end();
  report_.seconds =
      std::chrono::duration<double>(clock::now() - start_).count();
  report_.sentence = outcome_ ? "" : outcome_.error().context;
  if (disks_) {
    report_.source = disks_->counts();
    disks_->close();
  }
  if (!link_) {
    finished_(outcome_);
    return;
  }
  report_.link = link_->counters();
  report_.connections = link_->lanes();
  link_->finish([this] { finished_(outcome_); });
}

void seed_session::tick() {
  progress now;
  if (link_) {
    now.sent = link_->counters().sent;
  }
  switch (course_.at()) {
    case seed_course::state::greeting:
    case seed_course::state::offered:
      break;
    case seed_course::state::answered:
    case seed_course::state::preparing:
    case seed_course::state::prepared:
      now.phase = move_phase::prepare;
      break;
    case seed_course::state::disks:
    case seed_course::state::keeping:
      now.phase = course_.at_blocks() == seed_course::blocks::bulk
                      ? move_phase::bulk
                      : move_phase::rounds;
      add_pass(now,
               disks_->pass_counts(),
               moved_disks(request_.guest),
               disks_->bytes_wanted());
      break;
    case seed_course::state::over:
      return;
  }
  view_.show(now, clock::now());
  tick_timer_ = loop_.after(tick_interval, [this] { tick(); });
}

}  // namespace teleport
