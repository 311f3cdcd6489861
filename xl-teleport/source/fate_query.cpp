// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/source/fate_query.hpp"

#include <algorithm>
#include <utility>

#include "libteleport/base/log.hpp"
#include "libteleport/wire/record.hpp"

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
                        hello_record hello;
                        hello.software = "xl-teleport " TELEPORT_VERSION;
                        link_->send(record_type::hello, encode(hello));
                        link_->send(record_type::query, as_bytes(target_.id));
                      });
}

void fate_query::on_record(const raw_record& record) {
  if (record.type == record_type::hello) {
    return;
  }
  link_->close();
  byte_reader in(record.body);
  const auto fate = in.number<std::uint8_t>();
  if (record.type != record_type::query_result || !in.done() || fate < 1 ||
      fate > 4) {
    log_warning("the destination did not answer the question");
    again();
    return;
  }
  const auto answer = static_cast<destination_fate>(fate);
  if (answer == destination_fate::in_progress) {
    again();
    return;
  }
  waiting_ = false;
  answered_(answer);
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
