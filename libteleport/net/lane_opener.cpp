// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/net/lane_opener.hpp"

#include <utility>

#include "libteleport/base/log.hpp"
#include "libteleport/base/random.hpp"
#include "libteleport/net/joining_lane.hpp"

namespace teleport {

namespace {

constexpr std::chrono::seconds look_interval{1};

}  // namespace

lane_opener::lane_opener(event_loop& loop,
                         link_terms terms,
                         std::shared_ptr<const lane> first,
                         handlers callbacks)
    : loop_(loop),
      terms_(std::move(terms)),
      first_(std::move(first)),
      callbacks_(std::move(callbacks)) {}

void lane_opener::begin() {
  look_later();
  want(terms_.options.connections);
}

void lane_opener::look_later() {
  look_timer_ = loop_.after(look_interval, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->look();
      self->look_later();
    }
  });
}

void lane_opener::look() {
  const bool by_policy = terms_.options.connections == 0;
  if (by_policy) {
    const auto seen =
        watch_.on_look(callbacks_.look(), std::exchange(was_paced_, false));
    want(policy_.on_look(seen, lane_policy::time_point::clock::now()));
  } else {
    want(terms_.options.connections);
  }
}

void lane_opener::want(unsigned lanes) {
  quota_.want(lanes);
  if (!quota_.wants_more_than_one()) {
    return;
  }
  if (!ticket_) {
    ask();
    return;
  }
  const auto there = static_cast<unsigned>(callbacks_.look().lanes.size());
  for (unsigned begun = quota_.begin_opening(there); begun > 0; --begun) {
    open_one();
  }
}

void lane_opener::ask() {
  ticket_.emplace();
  const auto named = fill_with_random(ticket_->name);
  const auto secret = named ? fill_with_random(ticket_->secret) : named;
  if (!secret) {
    log_warning(in_context("no further connections", secret.error()).context);
    return;
  }
  callbacks_.send_ahead(record_type::ask_lanes, encode(*ticket_));
}

result<void> lane_opener::on_lanes(byte_span body) {
  const auto further = decode_lanes(body);
  if (!further) {
    return further.error();
  }
  if (!ticket_ || std::exchange(was_answered_, true)) {
    return error(errc::protocol, "LANES record out of time");
  }
  quota_.allow(*further);
  want(1);
  return {};
}

void lane_opener::open_one() {
  lane::connect_beside(
      loop_,
      terms_,
      first_->peer(),
      encode_preamble(ticket_->name),
      [weak = weak_from_this()](result<std::shared_ptr<lane>> made) {
        const auto self = weak.lock();
        if (self && made && (*made)->is_same_peer(*self->first_)) {
          self->join(*made);
          return;
        }
        if (made) {
          (*made)->close();
        }
        if (self) {
          self->failed(
              made ? error(errc::not_paired, "another key is shown there")
                   : made.error());
        }
      });
}

void lane_opener::join(const std::shared_ptr<lane>& made) {
  joining_lane::ask(
      loop_,
      made,
      ticket_->secret,
      [weak = weak_from_this(), made](std::optional<framer> input) {
        const auto self = weak.lock();
        if (!self) {
          made->close();
        } else if (!input) {
          self->failed({errc::refused, "the destination did not let it join"});
        } else {
          self->quota_.on_opened();
          self->callbacks_.on_joined(made, std::move(*input));
          // Later: by then the link may have ended, and this with it.
          self->loop_.post([weak] {
            if (const auto still = weak.lock()) {
              still->want(1);
            }
          });
        }
      });
}

/// The lanes that there are carry on, and the next look tries again.
void lane_opener::failed(const error& cause) {
  if (quota_.on_failed()) {
    log_info("further connections cannot be had: " + cause.context);
  }
}

}  // namespace teleport
