// SPDX-License-Identifier: LGPL-2.1-or-later

#include "tools/listen/record_relay.hpp"

#include <string>
#include <utility>

#include "libteleport/base/log.hpp"
#include "libteleport/base/units.hpp"
#include "libteleport/wire/failure.hpp"

namespace teleport {

namespace {

/// Bytes that wait for one side before the other is read no further. With a
/// record of 8 MiB each way this is what a session costs here.
constexpr std::size_t most_waiting = 1_MiB;

}  // namespace

record_relay::record_relay(std::shared_ptr<connection> source,
                           std::shared_ptr<connection> session,
                           std::unique_ptr<lane_inbox> lanes,
                           told_keys_ptr told,
                           std::function<void()> over)
    : source_(std::move(source)),
      session_(std::move(session)),
      lanes_(std::move(lanes)),
      told_(std::move(told)),
      over_(std::move(over)) {}

void record_relay::start() {
  const auto drained = [](const connection& full, connection& waiting) {
    if (full.queued() <= most_waiting) {
      waiting.resume();
    }
  };
  session_->start(
      {.on_record = [this](const raw_record& record) { on_session(record); },
       .on_closed = [this](const error& /*cause*/) { end_source(); },
       .on_drained = [this, drained] { drained(*session_, *source_); }});
  source_->start(
      {.on_record = [this](raw_record record) { on_source(std::move(record)); },
       .on_closed = [this](const error& cause) { end_session(cause); },
       .on_drained = [this, drained] { drained(*source_, *session_); }});
}

void record_relay::on_source(raw_record record) {
  if (is_ending_) {
    return;
  }
  const auto checked = checks_.check(std::move(record));
  if (!checked) {
    refuse(checked.error());
    return;
  }
  if (checked->type == record_type::hello && lanes_) {
    source_->allow_lanes(std::move(lanes_), told_);
  }
  session_->send(checked->type, checked->body);
  if (session_->queued() > most_waiting) {
    source_->pause();
  }
}

void record_relay::on_session(const raw_record& record) {
  source_->send(record.type, record.body);
  if (source_->queued() > most_waiting) {
    session_->pause();
  }
}

/// As the session itself would refuse: the source hears why.
void record_relay::refuse(const error& cause) {
  log_warning(cause.context);
  source_->send(
      record_type::fail,
      encode(failure_note{std::string(name_of(cause.code)), cause.context}));
  session_->close();
  end_source();
}

/// The session has said its last.
void record_relay::end_source() {
  if (!std::exchange(is_ending_, true)) {
    source_->finish(over_);
  }
}

void record_relay::end_session(const error& cause) {
  if (!std::exchange(is_ending_, true)) {
    log_info(cause.context);
    session_->finish(over_);
  }
}

}  // namespace teleport
