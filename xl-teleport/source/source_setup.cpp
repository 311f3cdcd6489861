// SPDX-License-Identifier: LGPL-2.1-or-later
//
// xl-teleport/source/source_setup.cpp: source_session from the connection to the prepared
// targets. Until PREPARE nothing has been touched on either side.

#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/greeting.hpp"
#include "libteleport/wire/record.hpp"
#include "xl-teleport/setup/guest_lock.hpp"
#include "xl-teleport/source/known_disks.hpp"
#include "xl-teleport/source/source_session.hpp"

namespace teleport {

namespace {

error out_of_time(record_type type) {
  return out_of_state("the destination", type, "");
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
      convergence_(options_.downtime),
      view_of_progress_(!options_.show_progress ? progress_view::style::none
                        : options_.json         ? progress_view::style::json
                        : ::isatty(STDERR_FILENO) == 1
                            ? progress_view::style::terminal
                            : progress_view::style::lines) {
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
    fail(connect_error(link.error(), options_.host));
    return;
  }
  link_ = std::move(*link);
  link_->set_pacer(
      make_pacer(options_.bwlimit, settings_.bwlimit, settings_.run_path));
  report_.congestion_control = link_->congestion_control();
  connection::handlers handlers;
  handlers.on_record = [this](const raw_record& record) { on_record(record); };
  handlers.on_closed = [this](const error& cause) {
    fail({cause.code, "the link to the destination is lost: " + cause.context});
  };
  handlers.on_drained = [this] {
    if (disks_ && !failing_) {
      disks_->pump();
    }
    if (memory_ && !failing_) {
      memory_->pump();
    }
  };
  link_->start(std::move(handlers));
  link_->send(record_type::hello, own_hello());
  const offer offered{id_, options_.live, view_.guest, view_.host};
  link_->send(record_type::offer, as_bytes(to_json(offered)));
}

void source_session::on_record(const raw_record& record) {
  if (ended_ || failing_) {
    return;
  }
  const auto taken = take(record);
  if (!taken) {
    fail(taken.error());
  }
}

result<void> source_session::take(const raw_record& record) {
  switch (record.type) {
    case record_type::hello:
      return on_hello(record);
    case record_type::answer:
      return on_answer(record);
    case record_type::prepared:
      return on_prepared(record);
    case record_type::extent_states:
    case record_type::wanted:
      return disks_ ? disks_->on_record(record)
                    : result<void>(out_of_time(record.type));
    case record_type::disks_durable:
      return on_durable();
    case record_type::guest_received:
      return on_received();
    case record_type::go_result:
      return on_result(record);
    case record_type::fail:
      return failure_of_destination(record.body, options_.host);
    default:
      return out_of_time(record.type);
  }
}

result<void> source_session::on_hello(const raw_record& record) {
  if (greeted_) {
    return out_of_time(record.type);
  }
  const auto checked = check_hello(record.body, options_.host);
  greeted_ = checked.has_value();
  return checked;
}

result<void> source_session::on_answer(const raw_record& record) {
  if (!greeted_ || preparing_) {
    return out_of_time(record.type);
  }
  const auto reply = read_answer(as_text(record.body));
  if (!reply) {
    return reply.error();
  }
  auto problems = view_.problems;
  for (const problem& there : reply->problems) {
    problems.push_back({there.code, reply->host + ": " + there.sentence});
  }
  report_.disks = reply->disks;
  report_.room = reply->room;
  if (!problems.empty() || options_.dry_run) {
    refuse(problems);
    return {};
  }
  preparing_ = true;
  enter(move_phase::prepare);
  make_movers();
  set_up_on_pool_ = true;
  loop_.work([this] { return prepare_here(); },
             [this](const result<void>& outcome) {
               set_up_on_pool_ = false;
               if (failing_) {
                 stay_when_quiet();
               } else if (!outcome) {
                 fail(outcome.error());
               } else {
                 link_->send(record_type::prepare, {});
                 disks_->start_bulk();
               }
             });
  return {};
}

void source_session::refuse(const std::vector<problem>& problems) {
  report_.problems = problems;
  for (const problem& found : problems) {
    report_.sentence += (report_.sentence.empty() ? "" : "\n  ") +
                        fmt::format("{} [{}]", found.sentence, found.code);
  }
  link_->close();
  if (problems.empty()) {
    report_.sentence = "nothing stands in the way; nothing was touched";
    end(exit_code::moved, "possible");
  } else {
    end(exit_code::refused, "refused");
  }
}

result<void> source_session::prepare_here() {
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
  const auto written = write_journal(journal_state::moving);
  if (!written) {
    return written;
  }
  guardian_options watch;
  watch.domid = view_.guest.domid;
  watch.uuid = view_.guest.uuid;
  watch.name = view_.guest.name;
  watch.journal = journal_->path_of(id_, journal_role::source);
  auto guardian = start_guardian(watch);
  if (!guardian) {
    return guardian.error();
  }
  guardian_ = std::move(*guardian);
  return disks_->attach(
      moved_disks(view_.guest),
      [this](bool paused) -> result<void> {
        // The guardian knows it first, and forgets it last.
        if (paused) {
          log_info(
              "a disk is written without a pause: the guest stands still "
              "for a moment");
        }
        auto done = paused ? guardian_.note_pause(true)
                           : set_paused(view_.guest.domid, false);
        if (done) {
          done = paused ? set_paused(view_.guest.domid, true)
                        : guardian_.note_pause(false);
        }
        return done;
      },
      known_by_index(settings_));
}

void source_session::make_movers() {
  disk_mover::events disk_events;
  disk_events.send = [this](record_type type, byte_span body) {
    if (type == record_type::extent_data) {
      link_->send(type, body);
    } else {
      link_->send_ahead(type, body);
    }
  };
  disk_events.queued = [this] { return link_->queued(); };
  disk_events.on_pass_done = [this] { pass_done(); };
  disk_events.on_weighed = [this](std::uint64_t dirty) { weighed(dirty); };
  disk_events.on_failed = [this](const error& cause) { fail(cause); };
  disks_ = std::make_unique<disk_mover>(loop_, std::move(disk_events));
  disks_->on_rest = [this] { stay_when_quiet(); };

  memory_mover::events memory_events;
  memory_events.send = [this](coded_piece piece) {
    stream_piece_record record;
    record.kind = static_cast<std::uint8_t>(piece.type);
    record.body = std::move(piece.body);
    link_->send(record_type::stream_piece, encode(record));
  };
  memory_events.queued = [this] { return link_->queued(); };
  memory_events.on_suspended = [this] { guest_suspended(); };
  memory_events.on_done = [this](const result<void>& outcome) {
    memory_done(outcome);
  };
  memory_ = std::make_unique<memory_mover>(
      loop_, std::move(memory_events), settings_.record_stream, id_);
}

result<void> source_session::on_prepared(const raw_record& record) {
  if (!preparing_ || phase_ != move_phase::prepare) {
    return out_of_time(record.type);
  }
  auto targets = read_targets(as_text(record.body));
  if (!targets) {
    return targets.error();
  }
  report_.disks = std::move(*targets);
  enter(move_phase::bulk);
  pass_start_ = clock::now();
  pass_link_bytes_ = link_->counters().sent;
  in_round_ = true;
  link_->widen();
  disks_->targets_ready();
  return {};
}

}  // namespace teleport
