// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/fate_query.hpp"

#include <algorithm>
#include <utility>

#include "libteleport/base/log.hpp"
#include "libteleport/session/end_records.hpp"
#include "libteleport/session/greeting.hpp"

namespace teleport {

namespace {

constexpr std::chrono::milliseconds first_pause{500};
constexpr std::chrono::milliseconds longest_pause{10'000};

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
  connection::connect(loop_,
                      {target_.keys, {}},
                      target_.host,
                      target_.port,
                      [this](result<std::shared_ptr<connection>> link) {
                        if (!link) {
                          log_warning(link.error().context);
                          again();
                          return;
                        }
                        link_ = *link;
                        connection::handlers handlers;
                        handlers.on_record = [this](const raw_record& record) {
                          on_record(record);
                        };
                        handlers.on_closed = [this](const error& cause) {
                          log_warning(cause.context);
                          again();
                        };
                        link_->start(std::move(handlers));
                        link_->send(record_type::hello, own_hello());
                        link_->send(record_type::query, as_bytes(target_.id));
                      });
}

void fate_query::on_record(const raw_record& record) {
  if (record.type == record_type::hello) {
    return;
  }
  link_->close();
  if (record.type != record_type::query_result) {
    log_warning((record.type == record_type::fail
                     ? failure_of_destination(record.body, target_.host)
                     : out_of_state("the destination", record.type, "queried"))
                    .context);
    again();
    return;
  }
  const auto fate = read_query_result(record.body);
  if (!fate || *fate == destination_fate::in_progress) {
    again();
    return;
  }
  waiting_ = false;
  answered_(*fate);
}

void fate_query::again() {
  if (!waiting_) {
    return;
  }
  waiting_ = false;
  if (std::chrono::steady_clock::now() + pause_ > deadline_) {
    answered_(std::nullopt);
    return;
  }
  timer_ = loop_.after(pause_, [this] { try_once(); });
  pause_ = std::min(pause_ * 2, longest_pause);
}

}  // namespace teleport
