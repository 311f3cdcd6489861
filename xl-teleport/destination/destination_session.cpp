// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/destination/destination_session.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/session/greeting.hpp"
#include "libteleport/session/told_failure.hpp"

namespace teleport {

namespace {

/// Of the limits of silence, the smallest of which is a minute.
constexpr std::chrono::seconds silence_interval{5};

}  // namespace

destination_session::destination_session(event_loop& loop,
                                         settings options,
                                         known_peer peer,
                                         std::shared_ptr<connection> link,
                                         std::unique_ptr<donor_meter> lookup,
                                         std::function<void(int)> finished)
    : loop_(loop),
      options_(std::move(options)),
      peer_(std::move(peer)),
      link_(std::move(link)),
      lookup_(std::move(lookup)),
      finished_(std::move(finished)),
      turn_(loop_, options_.run_path) {}

void destination_session::start() {
  connection::handlers handlers;
  handlers.on_record = [this](const raw_record& record) { on_record(record); };
  handlers.on_closed = [this](const error& cause) { on_link_lost(cause); };
  link_->start(std::move(handlers));
  opening_ = loop_.after(source_silence::opening_limit, [this] {
    fail({errc::timeout, "the source said nothing that it wants"});
  });
  watch_silence();
}

std::optional<std::chrono::seconds> destination_session::silence_limit() const {
  if (course_.at() == destination_state::seeding) {
    return source_silence::limit_at(seed_->at());
  }
  const bool works = arrival_ && arrival_->queued() > 0;
  return works ? std::nullopt
               : source_silence::limit_at(course_, turn_.is_held());
}

void destination_session::watch_silence() {
  if (course_.at() == destination_state::leaving ||
      course_.at() == destination_state::over) {
    return;
  }
  const auto heard = check_silence();
  const auto goes_on = heard ? check_turn() : heard;
  if (!goes_on) {
    fail(goes_on.error());
    return;
  }
  silence_look_ = loop_.after(silence_interval, [this] { watch_silence(); });
}

result<void> destination_session::check_silence() {
  const link_counters carried = link_->counters();
  const auto limit = silence_limit();
  if (silence_.is_too_long(limit,
                           carried.sent + carried.received,
                           std::chrono::steady_clock::now())) {
    return error(
        errc::timeout,
        fmt::format("the source sent nothing for {} s", limit->count()));
  }
  return {};
}

result<void> destination_session::check_turn() {
  turn_limit::sight seen;
  seen.received =
      link_->counters().received + (arrival_ ? arrival_->rebuilt() : 0);
  seen.waits_for_source = silence_limit().has_value();
  seen.stream_complete = course_.is_at_gate();
  return turn_.look(seen, std::chrono::steady_clock::now());
}

void destination_session::cancel(const std::string& why) {
  fail({errc::cancelled, why});
}

result<void> destination_session::check_place() const {
  return only_questions_
             ? result<void>(error(
                   errc::busy,
                   "this host receives as many teleports and seeds as it can, "
                   "or as one host may send at once: try again later"))
             : result<void>();
}

void destination_session::on_record(const raw_record& record) {
  if (record.type == record_type::fail) {
    on_link_lost(failure_of_source(record.body));
    return;
  }
  if (course_.at() == destination_state::seeding) {
    const auto taken = seed_->on_record(record);
    if (!taken) {
      fail(taken.error());
    }
    return;
  }
  const auto todo = course_.on_record(
      record.type, intake_ != nullptr && intake_->state().all_proven());
  if (todo) {
    perform(*todo, record);
  } else if (course_.at() == destination_state::foreign) {
    refuse(error(failure_));  // found at its HELLO
  } else {
    refuse(todo.error());
  }
}

void destination_session::on_link_lost(const error& cause) {
  link_->close();
  fail(cause);
}

void destination_session::on_xl_failed(const error& cause) {
  const bool given = course_.at() == destination_state::committed;
  log_error((given ? "after GO: " : "") + cause.context);
  failure_ = cause;
  perform(course_.on_xl_failed());
}

void destination_session::fail(const error& cause) {
  if (course_.at() == destination_state::leaving ||
      course_.at() == destination_state::over) {
    return;
  }
  log_warning(cause.context);
  failure_ = cause;
  perform(course_.on_failure());
}

void destination_session::refuse(const error& cause) {
  log_warning(cause.context);
  failure_ = cause;
  perform(course_.on_refused());
}

void destination_session::perform(const destination_course::actions& todo,
                                  const raw_record& record) {
  for (const destination_course::step& next : todo) {
    if (const auto* empty = std::get_if<record_type>(&next)) {
      link_->send(*empty, {});
      continue;
    }
    const auto done = step(std::get<action>(next), record);
    if (!done) {
      fail(done.error());
      return;
    }
  }
}

result<void> destination_session::step(action next, const raw_record& record) {
  switch (next) {
    case action::greet:
      return greet(record);
    case action::answer_query:
      opening_ = timer();
      return answer_query(record);
    case action::receive_seed:
      opening_ = timer();
      return check_place() ? receive_seed(record) : check_place();
    case action::consider:
      opening_ = timer();
      return check_place() ? consider(record) : check_place();
    case action::prepare:
      prepare();
      return {};
    case action::rebuild:
      return intake_->on_record(record);
    case action::take_turn:
      take_turn();
      return {};
    case action::start_xl:
      start_xl(record);
      return {};
    case action::feed_xl:
      return feed_xl(record);
    case action::flush:
      flush();
      return {};
    case action::run_gate_hook:
      arrival_->run_hook();
      return {};
    case action::journal_ready:
      write_journal(journal_state::ready);
      return {};
    case action::journal_go:
      write_journal(journal_state::go);
      return {};
    case action::journal_running:
      write_journal(journal_state::running);
      return {};
    case action::journal_abandoned:
      write_journal(journal_state::abandoned);
      return {};
    case action::unpause:
      arrival_->unpause();
      return {};
    case action::hand_disks_to_guest:
    case action::put_disks_back:
      release_disks(next == action::hand_disks_to_guest);
      return {};
    case action::close_link:
      link_->close();
      return {};
    case action::destroy:
      destroy();
      return {};
    case action::end:
      end();
      return {};
    case action::send_answer:
    case action::send_prepared:
    case action::send_turn:
    case action::send_go_result:
    case action::send_fail:
      send(next);
      return {};
  }
  return {};
}

void destination_session::send(action next) {
  switch (next) {
    case action::send_answer:
      link_->send(record_type::answer, as_bytes(to_json(answer_)));
      return;
    case action::send_prepared:
      make_intake();
      tell_of_targets();
      return;
    case action::send_turn:
      send_turn();
      return;
    case action::send_go_result: {
      go_result result;
      result.runs = course_.guest_runs();
      result.sentence = result.runs ? "" : "xl could not start the guest there";
      result.bulk = intake_->state().bulk();
      result.rounds = intake_->state().rounds();
      link_->send(record_type::go_result, as_bytes(to_json(result)));
      log_info(offer_.guest.name +
               (result.runs ? " runs here" : " did not start"));
      return;
    }
    default:
      // A host that is not one of ours is told no path of this one.
      link_->send(
          record_type::fail,
          encode(failure_note{std::string(name_of(failure_.code)),
                              peer_.rights.is_limited() ? told_of(failure_)
                                                        : failure_.context}));
      return;
  }
}

}  // namespace teleport
