// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/seed_session.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/session/greeting.hpp"
#include "libteleport/wire/failure.hpp"
#include "libteleport/wire/record.hpp"
#include "xl-teleport/source/known_disks.hpp"

namespace teleport {

namespace {

constexpr std::chrono::seconds tick_interval{1};

error out_of_time(record_type type) {
  return out_of_state("the destination", type, "");
}

/// A seed stops no guest: a disk that never rests is not followed.
result<void> never_pause(bool paused) {
  return paused ? result<void>(
                      error(errc::busy, "a disk is written without a pause"))
                : result<void>();
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
}

void seed_session::cancel() {
  fail({errc::cancelled, "cancelled"});
}

void seed_session::connected(result<std::shared_ptr<connection>> link) {
  if (!link) {
    fail(connect_error(link.error(), request_.host));
    return;
  }
  if (failure_) {  // cancelled meanwhile
    (*link)->close();
    return;
  }
  link_ = std::move(*link);
  link_->set_pacer(
      make_pacer(request_.bwlimit, settings_.bwlimit, settings_.run_path));
  report_.congestion_control = link_->congestion_control();
  connection::handlers handlers;
  handlers.on_record = [this](const raw_record& record) { on_record(record); };
  handlers.on_closed = [this](const error& cause) {
    lost_link_ = !failure_ && cause.code == errc::peer_lost;
    fail({cause.code, "the link to the destination is lost: " + cause.context});
  };
  handlers.on_drained = [this] {
    if (disks_ && !failure_) {
      disks_->pump();
    }
  };
  link_->start(std::move(handlers));
  link_->send(record_type::hello, own_hello());
  const seed_offer offered{request_.guest};
  link_->send(record_type::seed, as_bytes(to_json(offered)));
  // A disk that nobody writes may be read, and its target asked for, while the
  // hosts greet each other: for nothing, if the seed is refused. A tracker waits
  // for the answer.
  const auto disks = moved_disks(request_.guest);
  if (std::ranges::all_of(disks, &guest_disk::read_only)) {
    asked_early_ = true;
    link_->send(record_type::prepare, {});
    attach(false);
  }
}

void seed_session::on_record(const raw_record& record) {
  if (failure_ || phase_ == phase::over) {
    return;
  }
  const auto taken = take(record);
  if (!taken) {
    fail(taken.error());
  }
}

result<void> seed_session::take(const raw_record& record) {
  switch (record.type) {
    case record_type::hello:
      return on_hello(record);
    case record_type::answer:
      return on_answer(record);
    case record_type::prepared:
      return on_prepared(record);
    case record_type::extent_states:
    case record_type::wanted:
      return phase_ == phase::bulk || phase_ == phase::round
                 ? disks_->on_record(record)
                 : result<void>(out_of_time(record.type));
    case record_type::seeded:
      return on_seeded(record);
    case record_type::fail:
      return failure_of_destination(record.body, request_.host);
    default:
      return out_of_time(record.type);
  }
}

result<void> seed_session::on_hello(const raw_record& record) {
  if (phase_ != phase::hello) {
    return out_of_time(record.type);
  }
  const auto checked = check_hello(record.body, request_.host);
  if (checked) {
    phase_ = phase::answer;
  }
  return checked;
}

result<void> seed_session::on_answer(const raw_record& record) {
  if (phase_ != phase::answer) {
    return out_of_time(record.type);
  }
  const auto reply = read_answer(as_text(record.body));
  if (!reply) {
    return reply.error();
  }
  if (!reply->problems.empty()) {
    std::string why;
    for (const problem& there : reply->problems) {
      why +=
          (why.empty() ? "" : "\n  ") +
          fmt::format("{}: {} [{}]", reply->host, there.sentence, there.code);
    }
    return error(errc::refused, why);
  }
  phase_ = phase::attached;
  if (asked_early_) {
    phase_ = phase::prepared;
  } else if (reads_) {
    ask_for_targets();
  } else if (!on_pool_) {
    attach(true);
  }
  return {};
}

void seed_session::ask_for_targets() {
  phase_ = phase::prepared;
  link_->send(record_type::prepare, {});
}

void seed_session::make_mover() {
  disk_mover::events events;
  events.send = [this](record_type type, byte_span body) {
    if (type == record_type::extent_data) {
      link_->send(type, body);
    } else {
      link_->send_ahead(type, body);
    }
  };
  events.queued = [this] { return link_->queued(); };
  events.on_pass_done = [this] { pass_done(); };
  events.on_weighed = [this](std::uint64_t dirty) { weighed(dirty); };
  events.on_failed = [this](const error& cause) { fail(cause); };
  disks_ = std::make_unique<disk_mover>(loop_, std::move(events));
  disks_->on_rest = [this] { end_when_quiet(); };
}

/// Opens the disks, with trackers if `follow` and the guest may write them.
void seed_session::attach(bool follow) {
  make_mover();
  auto disks = moved_disks(request_.guest);
  follows_ = false;
  for (guest_disk& disk : disks) {
    disk.read_only = disk.read_only || !follow;
    follows_ = follows_ || !disk.read_only;
  }
  on_pool_ = true;
  loop_.work(
      [this, disks] {
        return disks_->attach(
            disks,
            never_pause,
            follows_ ? known_by_index(settings_) : known_content_factory());
      },
      [this](const result<void>& outcome) {
        on_pool_ = false;
        attached(outcome);
      });
}

void seed_session::attached(const result<void>& outcome) {
  if (failure_) {
    end_when_quiet();
  } else if (!outcome && follows_) {
    log_warning(
        "what is written meanwhile is not followed, and left to the "
        "next seed: " +
        outcome.error().context);
    attach(false);
  } else if (!outcome) {
    fail(outcome.error());
  } else {
    reads_ = true;
    if (phase_ == phase::attached) {
      ask_for_targets();
    }
    disks_->start_bulk();
    if (targets_here_) {
      begin_bulk();
    }
  }
}

result<void> seed_session::on_prepared(const raw_record& record) {
  if (phase_ != phase::prepared || targets_here_) {
    return out_of_time(record.type);
  }
  auto targets = read_targets(as_text(record.body));
  if (!targets) {
    return targets.error();
  }
  report_.disks = std::move(*targets);
  targets_here_ = true;
  if (reads_) {
    begin_bulk();
  }
  return {};
}

/// The disks are read, and their targets are there.
void seed_session::begin_bulk() {
  phase_ = phase::bulk;
  link_->widen();
  tick();
  disks_->targets_ready();
}

void seed_session::pass_done() {
  if (phase_ == phase::bulk && follows_) {
    phase_ = phase::marks;
    disks_->weigh();
    return;
  }
  complete();
}

void seed_session::weighed(std::uint64_t dirty) {
  if (dirty == 0) {
    complete();
    return;
  }
  phase_ = phase::round;
  disks_->start_round();
}

void seed_session::complete() {
  phase_ = phase::seeded;
  link_->send(record_type::disks_complete, {});
}

result<void> seed_session::on_seeded(const raw_record& record) {
  if (phase_ != phase::seeded) {
    return out_of_time(record.type);
  }
  auto done = read_seed_result(as_text(record.body));
  if (!done) {
    return done.error();
  }
  report_.bulk = done->bulk;
  report_.rounds = done->rounds;
  report_.followed = follows_;
  phase_ = phase::over;
  disks_->stop();
  end_when_quiet();
  return {};
}

void seed_session::fail(const error& cause) {
  if (failure_ || phase_ == phase::over) {
    return;
  }
  failure_ = cause;
  if (link_) {
    const failure_note note{"source_gave_up", cause.context};
    link_->send(record_type::fail, encode(note));
  }
  if (disks_) {
    disks_->stop();
  }
  end_when_quiet();
}

/// The disks are let go of once no job reads them.
void seed_session::end_when_quiet() {
  if (ended_ || on_pool_ || (disks_ && !disks_->at_rest())) {
    return;
  }
  ended_ = true;
  tick_timer_ = timer();
  view_.end();
  report_.seconds =
      std::chrono::duration<double>(clock::now() - start_).count();
  const auto outcome = failure_ ? result<void>(*failure_) : result<void>();
  report_.sentence = failure_ ? failure_->context : "";
  if (disks_) {
    report_.source = disks_->counts();
    disks_->close();
  }
  if (!link_) {
    finished_(outcome);
    return;
  }
  report_.link = link_->counters();
  report_.connections = link_->lanes();
  link_->finish([this, outcome] { finished_(outcome); });
}

void seed_session::tick() {
  progress now;
  now.phase = phase_ == phase::bulk ? move_phase::bulk : move_phase::rounds;
  now.sent = link_->counters().sent;
  now.done = disks_->pass_done();
  now.total = disks_->pass_total();
  if (phase_ == phase::bulk && now.done != 0) {
    now.found = 1.0 - std::min(1.0,
                               static_cast<double>(disks_->bytes_wanted()) /
                                   static_cast<double>(now.done));
  }
  view_.show(now, clock::now());
  tick_timer_ = loop_.after(tick_interval, [this] { tick(); });
}

}  // namespace teleport
