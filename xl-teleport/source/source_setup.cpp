// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/source_setup.cpp: source_session from the connection to
// the attached disks. Until PREPARE nothing has been touched on either side.

#include <csignal>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/greeting.hpp"
#include "libteleport/wire/record.hpp"
#include "xl-teleport/setup/guest_lock.hpp"
#include "xl-teleport/source/known_disks.hpp"
#include "xl-teleport/source/opening.hpp"
#include "xl-teleport/source/source_session.hpp"
#include "xl-teleport/source/told_offer.hpp"

namespace teleport {

namespace {

std::optional<std::chrono::milliseconds> limit_of(const move_options& options) {
  return options.downtime_limit
             ? std::optional(std::chrono::ceil<std::chrono::milliseconds>(
                   *options.downtime_limit))
             : std::nullopt;
}

}  // namespace

source_session::source_session(event_loop& loop,
                               move_options options,
                               settings config,
                               source_view view,
                               std::function<void(exit_code)> finished)
    : loop_(loop),
      options_(std::move(options)),
      settings_(std::move(config)),
      view_(std::move(view)),
      finished_(std::move(finished)),
      course_(options_.downtime, limit_of(options_)),
      view_of_progress_(!options_.show_progress ? progress_view::style::none
                        : options_.json         ? progress_view::style::json
                                                : progress_view::for_people()) {
  report_.guest = view_.guest.name;
  report_.uuid = view_.guest.uuid;
  report_.destination = options_.host;
  report_.phase_seconds.resize(static_cast<std::size_t>(move_phase::over));
  for (const guest_disk& disk : moved_disks(view_.guest)) {
    report_.disk_bytes += disk.size;
  }
}

void source_session::start() {
  const auto id = new_teleport_id();
  if (!id) {
    fail(id.error());
    return;
  }
  id_ = *id;
  report_.id = id_;
  connection::connect(loop_,
                      {settings_.keys, settings_.link},
                      options_.host,
                      options_.port,
                      [this](result<std::shared_ptr<connection>> link) {
                        connected(std::move(link));
                      });
  tick();
}

void source_session::connected(result<std::shared_ptr<connection>> link) {
  if (!link) {
    fail(link.error());
    return;
  }
  link_ = std::move(*link);
  report_.congestion_control = link_->congestion_control();
  connection::handlers handlers;
  handlers.on_record = [this](const raw_record& record) { on_record(record); };
  handlers.on_closed = [this](const error& cause) { fail(cause); };
  handlers.on_drained = [this] {
    (void)now();  // the link's rate is measured at each turn of its queue
    if (course_.listens() && disks_ && memory_) {
      disks_->pump();
      memory_->pump();
    }
  };
  const offer offered = told_offer(id_, view_, options_.live, options_.dry_run);
  const auto opened = open_session(*link_,
                                   std::move(handlers),
                                   settings_,
                                   options_.bwlimit,
                                   {view_.guest,
                                    record_type::offer,
                                    to_json(offered),
                                    peer_deed::teleport_there});
  if (!opened) {
    fail(opened.error());
  }
}

void source_session::on_answer(const answer& reply) {
  if (reply.gives_turns) {
    course_.needs_turn();
  }
  report_.disks = reply.disks;
  report_.room = reply.room;
  report_.problems = view_.problems;
  for (const problem& there : reply.problems) {
    report_.problems.push_back(
        {there.code, reply.host + ": " + there.sentence});
  }
  for (const problem& found : report_.problems) {
    report_.sentence += (report_.sentence.empty() ? "" : "\n  ") +
                        fmt::format("{} [{}]", found.sentence, found.code);
  }
}

void source_session::attach() {
  make_movers();
  loop_.work([this] { return prepare_here(); },
             [this](const result<void>& outcome) {
               course_.on_attached(outcome.has_value());
               if (!outcome) {
                 fail(outcome.error());
               }
               act();
             });
}

result<void> source_session::prepare_here() {
  departure_ = departure_of(view_.guest);
  auto lock = lock_guest(settings_.run_path, view_.guest.uuid);
  if (!lock) {
    return lock.error();
  }
  guest_lock_ = std::move(*lock);
  auto entries = journal::open(settings_.journal_path());
  if (!entries) {
    return entries.error();
  }
  journal_ = std::move(*entries);
  auto plan = plan_departure(view_.guest, link_->peer_key());
  if (!plan) {
    return plan.error();
  }
  departure_ = std::move(*plan);
  const auto written = write_journal(journal_state::moving);
  if (!written) {
    return written;
  }
  guardian_options watch;
  watch.domid = view_.guest.domid;
  watch.uuid = view_.guest.uuid;
  watch.name = view_.guest.name;
  watch.journal = journal_->path_of(id_, journal_role::source);
  watch.lock = guest_lock_.get();
  auto guardian = start_guardian(watch);
  if (!guardian) {
    return guardian.error();
  }
  guardian_ = std::move(*guardian);
  return disks_->attach(
      moved_disks(view_.guest),
      [this](bool paused) { return pause_guest(paused); },
      known_by_index(settings_));
}

/// The guardian knows of a pause before it begins, and until it is over.
result<void> source_session::pause_guest(bool paused) {
  if (!paused) {
    const auto resumed = set_paused(view_.guest.domid, false);
    return resumed ? guardian_.note_pause(false) : resumed;
  }
  log_info(
      "a disk is written without a pause: the guest is paused for a moment");
  const auto noted = guardian_.note_pause(true);
  return noted ? set_paused(view_.guest.domid, true) : noted;
}

void source_session::make_movers() {
  disk_mover::events disk_events = events_on(*link_);
  disk_events.on_blocks_sent = [this] { course_.on_blocks_sent(clock::now()); };
  disk_events.on_pass_done = [this] {
    course_.on_pass_done(now());
    act();
  };
  disk_events.on_weighed = [this](std::uint64_t dirty) {
    log_debug(fmt::format("{} bytes were written meanwhile", dirty));
    course_.on_weighed(dirty, now());
    act();
  };
  disk_events.on_last_marks = [this] {
    course_.on_last_marks(clock::now());
    act();
  };
  disk_events.on_failed = [this](const error& cause) { fail(cause); };
  disk_events.on_rest = [this] {
    course_.on_disks_at_rest();
    act();
  };
  disks_ = std::make_unique<disk_mover>(loop_, std::move(disk_events));

  memory_mover::events memory_events;
  memory_events.send = [this](coded_piece piece) {
    stream_piece_record record;
    record.kind = static_cast<std::uint8_t>(piece.type);
    record.body = std::move(piece.body);
    link_->send_behind(record_type::stream_piece, encode(record));
  };
  memory_events.queued = [this] { return link_->queued_behind(); };
  memory_events.room = [this] { return measures_.room.bytes(); };
  memory_events.on_suspended = [this] {
    link_->take_right_of_way();
    // Ctrl-Z would stop us, and the guest would stand until somebody thinks of
    // it.
    (void)std::signal(SIGTSTP, SIG_IGN);
    course_.on_suspended(clock::now());
    act();
  };
  memory_events.on_sent = [this] {
    course_.on_stream_sent(clock::now());
    act();
  };
  memory_events.on_done = [this](const result<void>& outcome) {
    memory_done(outcome);
  };
  memory_ = std::make_unique<memory_mover>(
      loop_, std::move(memory_events), settings_.record_stream, id_);
}

}  // namespace teleport
