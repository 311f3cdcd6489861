// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/lane_host.hpp"

#include <utility>

#include "libteleport/base/log.hpp"
#include "libteleport/net/joining_lane.hpp"
#include "libteleport/net/socket_tuning.hpp"

namespace teleport {

lane_host::lane_host(event_loop& loop,
                     link_terms terms,
                     std::unique_ptr<lane_inbox> inbox,
                     told_keys_ptr told,
                     std::shared_ptr<const lane> first,
                     handlers callbacks)
    : loop_(loop),
      terms_(std::move(terms)),
      inbox_(std::move(inbox)),
      told_(std::move(told)),
      first_(std::move(first)),
      callbacks_(std::move(callbacks)) {}

result<void> lane_host::on_ask(byte_span body) {
  const auto ticket = decode_ticket(body);
  if (!ticket) {
    return ticket.error();
  }
  if (ticket_) {
    return error(errc::protocol, "ASK_LANES record out of time");
  }
  ticket_ = *ticket;
  const auto opened =
      inbox_->open(ticket_->name, [weak = weak_from_this()](unique_fd socket) {
        if (const auto self = weak.lock()) {
          self->on_socket(std::move(socket));
        }
      });
  is_open_ = opened.has_value();
  if (!opened) {
    log_warning(in_context("no further connections", opened.error()).context);
  }
  callbacks_.send_ahead(record_type::lanes,
                        encode_lanes(is_open_ ? most_lanes - 1 : 0));
  return {};
}

void lane_host::on_socket(unique_fd socket) {
  if (callbacks_.lanes() + joining_ >= most_lanes) {
    return;
  }
  ++joining_;
  tune_further_lane(socket.get());
  lane::accept(
      loop_,
      terms_,
      std::move(socket),
      [weak = weak_from_this()](result<std::shared_ptr<lane>> made) {
        const auto self = weak.lock();
        if (self && made && (*made)->is_same_peer(*self->first_)) {
          self->on_shaken_hands(*made);
          return;
        }
        if (made) {
          (*made)->close();
        }
        if (self) {
          --self->joining_;
          log_warning("a further connection is not of this link");
        }
      },
      told_);
}

void lane_host::on_shaken_hands(const std::shared_ptr<lane>& made) {
  joining_lane::answer(
      loop_,
      made,
      ticket_->secret,
      [weak = weak_from_this(), made](std::optional<framer> input) {
        const auto self = weak.lock();
        if (!self) {
          made->close();
          return;
        }
        --self->joining_;
        if (input) {
          self->callbacks_.on_joined(made, std::move(*input));
        } else {
          log_warning("a further connection did not join its link");
        }
      });
}

}  // namespace teleport
