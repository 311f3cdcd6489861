// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/fate_query.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/session/greeting.hpp"

namespace teleport {

namespace {

constexpr std::chrono::milliseconds first_pause{500};
constexpr std::chrono::milliseconds longest_pause{10'000};

/// Of one attempt: a handshake over a slow link, and a busy host's Xen.
constexpr std::chrono::milliseconds attempt_limit{30'000};
/// The same when the time to ask is nearly over.
constexpr std::chrono::milliseconds shortest_attempt{5'000};

}  // namespace

fate_query::fate_query(
    event_loop& loop,
    target whom,
    std::chrono::seconds limit,
    std::function<void(std::optional<destination_fate>)> answered)
    : loop_(loop),
      target_(std::move(whom)),
      deadline_(std::chrono::steady_clock::now() + limit),
      pause_(first_pause),
      answered_(std::move(answered)) {}

void fate_query::ask() {
  try_once();
}

void fate_query::try_once() {
  waiting_ = true;
  ++attempt_;
  // A destination that received the question and does not answer, too.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(
      deadline_ - std::chrono::steady_clock::now());
  timer_ = loop_.after(std::clamp(left, shortest_attempt, attempt_limit),
                       [this] { again("does not answer"); });
  link_terms terms{target_.keys, {}};
  terms.key = target_.key;
  connection::connect(
      loop_,
      terms,
      target_.host,
      target_.port,
      [this, attempt = attempt_](result<std::shared_ptr<connection>> link) {
        if (waiting_ && attempt == attempt_) {
          on_connected(std::move(link));
        }
      });
}

void fate_query::on_connected(result<std::shared_ptr<connection>> link) {
  if (!link) {
    again("is not to be asked: " + link.error().context);
    return;
  }
  link_ = std::move(*link);
  connection::handlers handlers;
  handlers.on_record = [this](const raw_record& record) { on_record(record); };
  handlers.on_closed = [this](const error& cause) {
    again("did not answer: " + cause.context);
  };
  link_->start(std::move(handlers));
  link_->send(record_type::hello, own_hello());
  auto question = target_.question;
  if (by_id_alone_) {
    question.uuid.clear();
  }
  link_->send(record_type::query, encode(question));
}

void fate_query::on_record(const raw_record& record) {
  if (record.type == record_type::hello || !waiting_) {
    return;
  }
  if (record.type != record_type::query_result) {
    // PROTOCOL.md, section 6.5: release 0.1.0 refuses a QUERY with a uuid.
    by_id_alone_ = record.type == record_type::fail && !by_id_alone_;
    const error cause =
        record.type == record_type::fail
            ? failure_of_destination(record.body, target_.host)
            : out_of_state(record_sender::destination, record.type, "queried");
    again("refuses to say: " + cause.context);
    return;
  }
  const auto fate = read_query_result(record.body);
  if (!fate) {
    again(fate.error().context);
  } else if (*fate == destination_fate::in_progress) {
    again("says that the guest is being started, or its session has not ended");
  } else if (*fate == destination_fate::paused) {
    again("says that the guest is there, paused");
  } else {
    waiting_ = false;
    timer_ = timer();
    link_->close();
    answered_(*fate);
  }
}

void fate_query::again(std::string heard) {
  if (!waiting_) {
    return;
  }
  waiting_ = false;
  heard_ = std::move(heard);
  log_warning(target_.host + " " + heard_);
  if (link_) {
    link_->close();
  }
  if (std::chrono::steady_clock::now() + pause_ > deadline_) {
    timer_ = timer();
    answered_(std::nullopt);
    return;
  }
  timer_ = loop_.after(pause_, [this] { try_once(); });
  pause_ = std::min(pause_ * 2, longest_pause);
}

}  // namespace teleport
