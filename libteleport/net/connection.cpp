// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/connection.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libteleport/base/log.hpp"
#include "libteleport/net/farewell.hpp"
#include "libteleport/net/local_lane.hpp"

namespace teleport {

connection::connection(event_loop& loop,
                       link_terms terms,
                       std::shared_ptr<lane> first)
    : loop_(loop),
      terms_(std::move(terms)),
      links_{first},
      first_(std::move(first)) {}

connection::connection(event_loop& loop,
                       link_terms terms,
                       std::shared_ptr<byte_link> only)
    : loop_(loop), terms_(std::move(terms)), links_{std::move(only)} {}

std::shared_ptr<connection> connection::inside(event_loop& loop,
                                               unique_fd socket,
                                               const paired_host& peer) {
  return std::make_shared<connection>(
      loop,
      link_terms(),
      std::make_shared<local_lane>(
          loop, std::move(socket), peer.name, peer.key));
}

connection::~connection() {
  for (const auto& link : links_) {
    link->close();
  }
}

void connection::connect(event_loop& loop,
                         const link_terms& terms,
                         const std::string& host,
                         std::uint16_t port,
                         const ready_handler& ready) {
  link_terms of_host = terms;
  of_host.peer = host;
  lane::connect(loop,
                of_host,
                host,
                port,
                [&loop, terms = of_host, ready](
                    const result<std::shared_ptr<lane>>& first) {
                  if (!first) {
                    ready(first.error());
                  } else if (!(*first)->pinned()) {
                    (*first)->close();
                    ready((*first)->pinned().error());
                  } else {
                    ready(std::make_shared<connection>(loop, terms, *first));
                  }
                });
}

void connection::accept(event_loop& loop,
                        const link_terms& terms,
                        unique_fd socket,
                        const ready_handler& ready,
                        const told_keys_ptr& told) {
  lane::accept(
      loop,
      terms,
      std::move(socket),
      [&loop, terms, ready](const result<std::shared_ptr<lane>>& first) {
        if (!first) {
          ready(first.error());
        } else if (!(*first)->pinned()) {
          turn_away(loop, *first, [ready, cause = (*first)->pinned().error()] {
            ready(cause);
          });
        } else {
          ready(std::make_shared<connection>(loop, terms, *first));
        }
      },
      told);
}

void connection::start(handlers callbacks) {
  handlers_ = std::move(callbacks);
  for (std::size_t i = 0; i < links_.size(); ++i) {
    listen(i);
  }
  read();
}

void connection::listen(std::size_t number) {
  const auto weak = weak_from_this();
  links_[number]->start({.on_bytes =
                             [weak, number](byte_span bytes) {
                               if (const auto self = weak.lock()) {
                                 self->on_bytes(number, bytes);
                               }
                             },
                         .on_written =
                             [weak, number] {
                               if (const auto self = weak.lock()) {
                                 self->on_written(number);
                               }
                             },
                         .on_lost =
                             [weak, number](const error& cause, bool cleanly) {
                               if (const auto self = weak.lock()) {
                                 self->on_lost(number, cause, cleanly);
                               }
                             }});
}

/// From each lane, unless enough of its slices wait for others.
void connection::read() {
  for (std::size_t i = 0; i < links_.size() && stage_ != stage::closed; ++i) {
    if (stage_ == stage::half_closed || (!paused_ && lanes_.may_read(i))) {
      links_[i]->read();
    }
  }
}

void connection::on_bytes(std::size_t number, byte_span bytes) {
  if (stage_ == stage::half_closed) {
    links_[number]->read();  // to its end
    return;
  }
  lanes_.feed(number, bytes);
  deliver();
}

void connection::deliver() {
  if (delivering_) {
    return;  // resume() was called from inside on_record
  }
  delivering_ = true;
  while (!paused_ && stage_ != stage::closed) {
    auto record = lanes_.next_record();
    if (record && !*record) {
      break;
    }
    const bool of_link = record && is_link_record((*record)->type);
    const auto accepted = !record   ? result<void>(record.error())
                          : of_link ? on_link_record(**record)
                                    : result<void>();
    if (!accepted) {
      delivering_ = false;
      fail(accepted.error());
      return;
    }
    if (!of_link && handlers_.on_record) {
      handlers_.on_record(std::move(**record));
    }
  }
  delivering_ = false;
  if (!paused_) {
    read();
  }
}

result<void> connection::on_link_record(const raw_record& record) {
  if (stage_ != stage::open) {
    return {};  // there will be no more lanes
  }
  if (record.type == record_type::ask_lanes && host_) {
    const auto asked = host_->on_ask(record.body);
    if (host_->is_open()) {
      lanes_.allow(lane_set::slices::in);
    }
    return asked;
  }
  if (record.type == record_type::lanes && opener_) {
    return opener_->on_lanes(record.body);
  }
  return error(errc::protocol,
               fmt::format("record type {} out of time",
                           static_cast<unsigned>(record.type)));
}

void connection::resume() {
  if (std::exchange(paused_, false)) {
    // Delivers later in this turn of the loop: the caller of resume() may have
    // more to set up.
    loop_.post([self = shared_from_this()] { self->deliver(); });
  }
}

void connection::send(record_type type, byte_span body) {
  if (stage_ == stage::open) {
    queue_.push(type, body);
    write_soon();
  }
}

void connection::send_ahead(record_type type, byte_span body) {
  if (stage_ == stage::open) {
    queue_.push_ahead(type, body);
    write_soon();
  }
}

void connection::send_behind(record_type type, byte_span body) {
  if (stage_ == stage::open) {
    queue_.push_behind(type, body);
    write_soon();
  }
}

void connection::send_last(record_type type, byte_span body) {
  if (stage_ == stage::open) {
    queue_.push_last(type, body);
    write_soon();
  }
}

void connection::take_right_of_way() {
  if (pacer_) {
    pacer_->take_right_of_way();
  }
  write_paced();
}

/// Later in this turn of the loop, so that records queued together are written
/// together.
void connection::write_soon() {
  if (!std::exchange(write_posted_, true)) {
    loop_.post([self = shared_from_this()] {
      self->write_posted_ = false;
      self->write();
    });
  }
}

void connection::write() {
  while (!paced_ && stage_ != stage::closed) {
    auto next = lanes_.next_write(
        queue_, pacer_ ? pacer_->piece() : record_queue::batch_bytes);
    if (!next) {
      break;
    }
    write_in_turn(std::move(*next));
  }
  if (stage_ == stage::finishing && queued() == 0 && !lanes_.is_writing()) {
    half_close();
  }
}

/// One turn for all lanes: those of other teleports share the link by turns,
/// too.
void connection::write_in_turn(lane_set::write next) {
  const auto now = pacer::clock::now();
  const auto wait = pacer_ ? pacer_->reserve(next.of_records, now) - now
                           : pacer::clock::duration::zero();
  if (wait <= std::chrono::milliseconds(1)) {
    links_[next.lane]->write(std::move(next.bytes));
    return;
  }
  if (opener_) {
    opener_->on_paced();
  }
  paced_ = std::move(next);
  pace_timer_ =
      loop_.after(std::chrono::duration_cast<std::chrono::milliseconds>(wait),
                  [weak = weak_from_this()] {
                    if (const auto self = weak.lock()) {
                      self->write_paced();
                    }
                  });
}

void connection::write_paced() {
  if (!paced_ || stage_ == stage::closed) {
    return;
  }
  pace_timer_ = timer();
  const auto next = std::exchange(paced_, std::nullopt);
  links_[next->lane]->write(next->bytes);
  write();
}

void connection::on_written(std::size_t number) {
  queue_.on_written(lanes_.on_written(number));
  write();
  if (handlers_.on_drained && stage_ != stage::closed) {
    handlers_.on_drained();
  }
}

std::string connection::congestion_control() const {
  return links_.front()->congestion_control();
}

void connection::widen() {
  if (terms_.options.connections == 1 || stage_ != stage::open) {
    return;
  }
  const auto weak = weak_from_this();
  lanes_.allow(lane_set::slices::out);
  // The opener goes before this does.
  opener_ = std::make_shared<lane_opener>(
      loop_,
      terms_,
      first_,
      lane_opener::handlers{
          .look = [this] { return look(); },
          .send_ahead = [this](record_type type,
                               byte_span body) { send_ahead(type, body); },
          .on_joined =
              [weak](std::shared_ptr<lane> made, framer input) {
                if (const auto self = weak.lock()) {
                  self->on_joined(std::move(made), std::move(input));
                  self->write();
                }
              }});
  opener_->begin();
}

void connection::allow_lanes(std::unique_ptr<lane_inbox> inbox,
                             told_keys_ptr told) {
  const auto weak = weak_from_this();
  host_ = std::make_shared<lane_host>(
      loop_,
      terms_,
      std::move(inbox),
      std::move(told),
      first_,
      lane_host::handlers{
          .lanes = [this] { return lanes_.size(); },
          .send_ahead = [this](record_type type,
                               byte_span body) { send_ahead(type, body); },
          .on_joined =
              [weak](std::shared_ptr<lane> made, framer input) {
                if (const auto self = weak.lock()) {
                  self->on_joined(std::move(made), std::move(input));
                }
              }});
}

void connection::on_joined(std::shared_ptr<lane> made, framer input) {
  if (stage_ != stage::open) {
    made->close();
    return;
  }
  links_.push_back(std::move(made));
  listen(lanes_.add(std::move(input)));
  log_debug(fmt::format("{} connections side by side", links_.size()));
  deliver();
}

unsigned connection::lanes() const noexcept {
  return static_cast<unsigned>(lanes_.size());
}

link_sight connection::look() const {
  link_sight now;
  now.acknowledged = counters().sent;
  now.congestion_control = congestion_control();
  for (std::size_t i = 0; i < links_.size(); ++i) {
    now.lanes.push_back(lanes_.has_ended(i)
                            ? std::nullopt
                            : std::optional(links_[i]->effort()));
  }
  return now;
}

void connection::finish(std::function<void()> done) {
  if (stage_ == stage::closed) {
    loop_.post(std::move(done));
    return;
  }
  finished_ = std::move(done);
  if (stage_ != stage::open) {
    return;
  }
  stage_ = stage::finishing;
  opener_.reset();
  host_.reset();
  // The timer owns this until close().
  deadline_ = loop_.after(terms_.end_limit,
                          [self = shared_from_this()] { self->close(); });
  if (!write_posted_) {
    write();
  }
}

void connection::half_close() {
  stage_ = stage::half_closed;
  for (const auto& link : links_) {
    link->end_sending();
  }
  read();
}

/// A peer that closes its link closes all lanes, one after the other: what it
/// sent on the others is still read.
void connection::on_lost(std::size_t number, const error& cause, bool cleanly) {
  lanes_.end(number);
  if (stage_ == stage::half_closed) {
    if (lanes_.all_ended()) {
      close();
    }
  } else if (lanes_.all_ended() || !cleanly) {
    fail(cause);
  } else if (!deadline_) {
    deadline_ = loop_.after(terms_.end_limit, [weak = weak_from_this(), cause] {
      if (const auto self = weak.lock()) {
        self->fail(cause);
      }
    });
  }
}

void connection::close() {
  if (stage_ == stage::closed) {
    return;
  }
  stage_ = stage::closed;
  deadline_ = timer();
  pace_timer_ = timer();
  paced_.reset();
  opener_.reset();
  host_.reset();
  for (const auto& link : links_) {
    link->close();
  }
  if (finished_) {
    loop_.post(std::exchange(finished_, nullptr));
  }
}

void connection::fail(error cause) {
  close();
  // The handlers may own this connection: none is kept.
  const handlers last = std::exchange(handlers_, {});
  if (last.on_closed) {
    last.on_closed(std::move(cause));
  }
}

link_counters connection::counters() const {
  link_counters all;
  for (const auto& link : links_) {
    all += link->counters();
  }
  return all;
}

const std::string& connection::peer_name() const noexcept {
  return links_.front()->peer_name();
}

const std::string& connection::peer_key() const noexcept {
  return links_.front()->peer_key();
}

}  // namespace teleport
